import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { i18n } from '../i18n.svelte'
import type { StandIn } from '../testing/stand-in'
import { account } from '../testing/views'
import { click, fill, started } from '../testing/hands'

afterEach(cleanup)

/** Two accounts that are signed in, or out. */
function withAccounts(state: 'synced' | 'signedOut'): StandIn {
  const api = fullScene('en', 'light')
  api.app = { ...api.app, accounts: api.app.accounts.map((one) => account({ ...one, connection: { state } })) }
  return api
}

// The account is signed out, or gone, whatever the keyring says.
describe('a sign-in that the keyring does not forget', () => {
  it.each([
    ['settings-sign-out', 'synced'],
    ['settings-remove', 'signedOut'],
  ] as const)('is told, and %s is done', async (button, state) => {
    const api = withAccounts(state)
    const window = await started(api)
    window.dialogs.show({ kind: 'settings', page: 'account' })
    const page = (await screen.findAllByTestId('settings-account', {}, { timeout: 10_000 })).at(-1) as HTMLElement
    await fireEvent.click(within(page).getByTestId(button))
    api.refusal = 'keyring'
    await click('confirm-submit')
    expect(await screen.findByText(i18n.t.errors.keyring)).toBeTruthy()
    await waitFor(() => expect(screen.queryByTestId('dialog-confirm'), 'there is nothing to try again').toBeNull())
  })

  it('is told, and the account is deleted', async () => {
    const api = fullScene('en', 'light')
    const window = await started(api)
    window.dialogs.show({ kind: 'settings', page: 'security', account: 's1.me' })
    await screen.findByTestId('security-codes-left', {}, { timeout: 10_000 })
    await click('security-delete')
    await fill('security-delete-password', 'correct horse')
    api.refusal = 'keyring'
    await click('security-delete-submit')
    expect(await screen.findByText(i18n.t.errors.keyring)).toBeTruthy()
    expect(await screen.findByText(i18n.t.security.deleted), 'it is gone').toBeTruthy()
    await waitFor(() => expect(screen.queryByTestId('security-delete-password')).toBeNull())
  })

  it('leaves what is refused otherwise open, with its reason', async () => {
    const api = withAccounts('signedOut')
    const window = await started(api)
    window.dialogs.show({ kind: 'settings', page: 'account' })
    const page = (await screen.findAllByTestId('settings-account', {}, { timeout: 10_000 })).at(-1) as HTMLElement
    await fireEvent.click(within(page).getByTestId('settings-remove'))
    api.refusal = 'unreadable'
    await click('confirm-submit')
    expect(await screen.findByTestId('form-error')).toBeTruthy()
    expect(screen.getByTestId('dialog-confirm')).toBeTruthy()
  })
})
