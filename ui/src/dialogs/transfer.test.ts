import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import { StandIn } from '../testing/stand-in'
import { member, security } from '../testing/views'
import { click, started } from '../testing/hands'

function house(): StandIn {
  const api = new StandIn()
  const owner = member('me', '夏至', { isMe: true, isOwner: true })
  const kestrel = member('kes', 'Kestrel', { accountName: 'kestrel' })
  const kes = member('kes2', 'Kestrel', { accountName: 'another' })
  api.members = {
    sections: [
      { memberGroup: 'keepers', name: 'Keepers', count: 2, members: [owner, kestrel] },
      { memberGroup: null, name: '', count: 2, members: [kestrel, kes] },
    ],
    next: null,
    isFresh: true,
  }
  return api
}

async function opened(api: StandIn): Promise<WindowState> {
  const window = await started(api)
  i18n.use('en')
  return window
}

async function shown(api: StandIn): Promise<void> {
  const window = await opened(api)
  window.dialogs.show({ kind: 'transfer', account: 's1.me', community: 'c1', name: 'Starsea' })
  await waitFor(() => expect(screen.getAllByTestId('transfer-member').length).toBe(2))
}

const type = (value: string) => fireEvent.input(screen.getByTestId('transfer-typed'), { target: { value } })
async function choose(at: number): Promise<void> {
  await fireEvent.click(screen.getAllByTestId('transfer-member')[at] as HTMLElement)
}

afterEach(cleanup)

describe('handing a community over', () => {
  it('names each other member once, with the account name that tells two of a name apart', async () => {
    await shown(house())
    const named = screen.getAllByTestId('transfer-member').map((one) => one.textContent.replace(/\s+/g, ' ').trim())
    expect(named.every((text) => text.includes('Kestrel'))).toBe(true)
    expect(named[0]).toContain('kestrel')
    expect(named[1]).toContain('another')
    expect(await faults(screen.getByTestId('dialog-transfer'))).toEqual([])
  })

  it('asks for the name of the community before anything is done', async () => {
    const api = house()
    await shown(api)
    await choose(1)
    expect(screen.getByTestId('transfer-heir').textContent).toContain('another')
    expect(document.activeElement, 'what has to be typed has the focus').toBe(screen.getByTestId('transfer-typed'))
    expect(screen.getByTestId('transfer-submit')).toHaveProperty('disabled', true)
    await type('Star')
    expect(screen.getByTestId('transfer-submit')).toHaveProperty('disabled', true)
    expect(await faults(screen.getByTestId('dialog-transfer'))).toEqual([])
    await type(' Starsea ')
    await click('transfer-submit')
    await waitFor(() => expect(screen.queryByTestId('dialog-transfer')).toBeNull())
    expect(api.actions.at(-1)).toEqual({ type: 'transferCommunity', community: 'c1', member: 'kes2' })
  })

  it('says why it was refused where it was asked, and lets another one be chosen', async () => {
    const api = house()
    await shown(api)
    await choose(0)
    await type('Starsea')
    api.refusal = 'not_found'
    await click('transfer-submit')
    await waitFor(() => expect(screen.getByTestId('form-error').textContent).toBe(i18n.t.transfer.gone('Kestrel')))
    await click('transfer-another')
    expect(screen.queryByTestId('form-error'), 'the next one is not to blame').toBeNull()
    await choose(1)
    expect(screen.getByTestId<HTMLInputElement>('transfer-typed').value, 'each is confirmed anew').toBe('')
  })

  it('is offered where the owner cannot delete the account', async () => {
    const api = house()
    api.security = security({ owned: [{ community: 'c1', name: 'Starsea' }] })
    const window = await opened(api)
    await import('./SettingsDialog.svelte')
    window.dialogs.show({ kind: 'settings', page: 'security', account: 's1.me' })
    await waitFor(() => expect(screen.getByTestId('security-transfer')).toBeTruthy())
    expect(await faults(screen.getByTestId('dialog-settings'))).toEqual([])
    await click('security-transfer')
    await waitFor(() => expect(screen.getAllByTestId('transfer-member').length).toBe(2))
    await choose(0)
    await type('Starsea')
    api.security = security({ owned: [] })
    await click('transfer-submit')
    await waitFor(() => expect(screen.queryByTestId('security-obstacle')).toBeNull())
  })
})
