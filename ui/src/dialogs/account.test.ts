import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { i18n } from '../i18n.svelte'
import { faults } from '../testing/faults'
import { StandIn } from '../testing/stand-in'
import { account, appView, security } from '../testing/views'
import { click, fill, started } from '../testing/hands'

const CODES = Array.from({ length: 10 }, (_, n) => `ABCD-EFGH-JKMN-PQR${n}`)

afterEach(cleanup)

describe('recovery codes', () => {
  it('are shown once after hosting, until the person says that they are kept', async () => {
    const api = new StandIn()
    const mine = api.app.accounts
    api.app = appView({ accounts: [] })
    api.codes = CODES
    await started(api)
    await click('first-host')
    await fill('host-community', 'Starsea')
    await fill('host-display-name', 'Solstice Day')
    expect(screen.getByTestId<HTMLInputElement>('host-name').value, 'a name is proposed').toBe('solstice-day')
    await fill('host-password', 'correct horse')
    api.app = appView({ accounts: mine })
    await click('host-submit')
    await waitFor(() => expect(screen.getAllByTestId('recovery-code')).toHaveLength(10))
    expect(await faults()).toEqual([])
    expect(screen.getByTestId('codes-done')).toHaveProperty('disabled', true)
    await fireEvent.keyDown(screen.getByTestId('dialog-codes'), { key: 'Escape' })
    expect(screen.getByTestId('dialog-codes'), 'Escape does not lose them').toBeTruthy()
    await click('codes-save')
    expect(await screen.findByTestId('codes-saved')).toHaveProperty(
      'textContent',
      i18n.t.security.saved('/home/me/tulou-solstice.txt'),
    )
    await click('codes-kept')
    await click('codes-done')
    await waitFor(() => expect(screen.queryByTestId('dialog-codes')).toBeNull())
  })

  it('set a new password when signing in', async () => {
    const api = fullScene('en', 'light')
    const window = await started(api)
    window.dialogs.show({ kind: 'signIn', account: 's1.me' })
    await waitFor(() => expect(screen.getByTestId('dialog-sign-in')).toBeTruthy())
    await click('sign-in-forgot')
    expect(await faults(screen.getByTestId('dialog-sign-in'))).toEqual([])
    await fill('sign-in-code', ' abcd-efgh ')
    await fill('sign-in-password', 'battery staple')
    api.refusal = 'wrong_code'
    await click('sign-in-submit')
    expect(await screen.findByTestId('form-error')).toHaveProperty('textContent', i18n.t.errors.wrong_code)
    await click('sign-in-submit')
    await waitFor(() => expect(screen.queryByTestId('dialog-sign-in')).toBeNull())
    expect(api.calls).toContain('recover abcd-efgh')
  })

  it('get somebody into an account on another computer', async () => {
    const api = new StandIn()
    api.app = appView({ accounts: [] })
    await started(api)
    await click('first-join')
    await fill('join-link', 'starsea.example')
    await click('join-look')
    await waitFor(() => expect(screen.getByTestId('join-sign-in')).toBeTruthy())
    await click('join-sign-in')
    await click('join-forgot')
    await fill('join-name', 'solstice')
    await fill('join-code', 'ABCD-EFGH-JKMN-PQRS')
    await fill('join-password', 'battery staple')
    await click('join-submit')
    await waitFor(() => expect(api.calls).toContain('join forgotten'))
    expect(screen.queryByTestId('dialog-codes'), 'no new ones are made').toBeNull()
  })
})

describe('the security of an account', () => {
  async function shown(api: StandIn): Promise<void> {
    const window = await started(api)
    window.dialogs.show({ kind: 'settings', page: 'security', account: 's1.me' })
    // The dialog is read when it is asked for.
    await screen.findByTestId('security-codes-left', {}, { timeout: 10_000 })
  }

  it('names where it is signed in, marks this device, and ends the others', async () => {
    const api = fullScene('en', 'light')
    api.security = security({
      sessions: [
        ...security().sessions,
        ...security()
          .sessions.slice(1)
          .map((one) => ({ ...one, id: 'phone' })),
      ],
    })
    await shown(api)
    expect(await faults(screen.getByTestId('dialog-settings'))).toEqual([])
    const [here, ...others] = screen.getAllByTestId('session')
    expect(here?.dataset.current).toBe('true')
    expect(here?.textContent).toContain(i18n.t.security.current)
    expect(others).toHaveLength(2)
    await fireEvent.click(screen.getAllByTestId('session-end')[0] as HTMLElement)
    await waitFor(() => expect(screen.getAllByTestId('session')).toHaveLength(2))
    await click('sessions-end-others')
    await waitFor(() => expect(screen.getAllByTestId('session')).toHaveLength(1))
    expect(api.calls.filter((call) => call.startsWith('endSessions'))).toEqual([
      'endSessions laptop',
      'endSessions others',
    ])
    expect(screen.queryByTestId('sessions-end-others'), 'there is nothing left to end').toBeNull()
  })

  it('changes the password, and says when the present one is wrong', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    await fill('security-present', 'wrong horse')
    await fill('security-new', 'battery staple')
    api.refusal = 'wrong_password'
    await click('security-change')
    expect(await screen.findByTestId('form-error')).toHaveProperty('textContent', i18n.t.security.wrongPresent)
    await click('security-change')
    await waitFor(() => expect(api.calls).toContain('changePassword'))
    await waitFor(() => expect(screen.getByTestId<HTMLInputElement>('security-new').value).toBe(''))
  })

  it('asks for the password before new codes are made', async () => {
    const api = fullScene('en', 'light')
    api.codes = CODES
    await shown(api)
    await click('security-codes')
    expect(api.calls).not.toContain('newRecoveryCodes')
    await fill('security-codes-password', 'correct horse')
    await click('security-codes-submit')
    await waitFor(() => expect(screen.getAllByTestId('recovery-code')).toHaveLength(10))
  })

  it('deletes the account with what it wrote, if that is wanted', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    await click('security-delete')
    await fireEvent.click(screen.getByRole('radio', { name: i18n.t.security.removeMessages }))
    await fill('security-delete-password', 'correct horse')
    await click('security-delete-submit')
    await waitFor(() => expect(api.calls).toContain('deleteAccount remove'))
  })

  it('says what stands in the way of deleting it', async () => {
    const api = fullScene('en', 'light')
    api.security = security({
      owned: [
        { community: 'c1', name: '星海' },
        { community: 'c2', name: '土楼' },
      ],
    })
    await shown(api)
    expect(screen.getByTestId('security-obstacle').textContent).toBe(
      i18n.t.security.owns(i18n.list(['“星海”', '“土楼”'])),
    )
    expect(screen.queryByTestId('security-delete')).toBeNull()
  })
})

describe("a server's accounts", () => {
  const listed = (name: string, isServerAdmin = false) => ({
    id: `id-${name}`,
    name,
    displayName: name.toUpperCase(),
    createdAt: 1_790_000_000_000,
    seenAt: isServerAdmin ? 1_790_000_000_000 : null,
    isServerAdmin,
  })

  it('are found and set back by the administrator, who gets a code to hand over', async () => {
    const api = fullScene('en', 'light')
    api.app = { ...api.app, accounts: api.app.accounts.slice(0, 1) }
    api.serverAccounts = [listed('alice', true), listed('bob'), listed('carol')]
    const window = await started(api)
    window.dialogs.show({ kind: 'settings' })
    await screen.findByTestId('page-accounts', {}, { timeout: 10_000 })
    await click('page-accounts')
    await waitFor(() => expect(screen.getAllByTestId('server-account')).toHaveLength(3))
    expect(await faults(screen.getByTestId('dialog-settings'))).toEqual([])
    expect(screen.getAllByTestId('account-reset'), 'not the administrator').toHaveLength(2)
    await fill('accounts-search', 'b')
    await waitFor(() => expect(screen.getAllByTestId('server-account')).toHaveLength(1))
    await click('account-reset')
    await waitFor(() => expect(screen.getByTestId('confirm-submit')).toBeTruthy())
    expect(api.calls.some((call) => call.startsWith('resetAccount'))).toBe(false)
    expect(screen.getByTestId('dialog-confirm').textContent, 'whose it is, beyond doubt').toContain('BOB (@bob)')
    await click('confirm-submit')
    expect(await screen.findByTestId('reset-code')).toHaveProperty('textContent', 'ABCD-EFGH-JKMN-PQRS')
    expect(api.calls).toContain('resetAccount id-bob')
  })

  it('are nobody else’s to see', async () => {
    const api = fullScene('en', 'light')
    api.app = { ...api.app, accounts: api.app.accounts.map((one) => account({ ...one, isServerAdmin: false })) }
    const window = await started(api)
    window.dialogs.show({ kind: 'settings' })
    await screen.findByTestId('page-server', {}, { timeout: 10_000 })
    expect(screen.queryByTestId('page-accounts')).toBeNull()
  })
})
