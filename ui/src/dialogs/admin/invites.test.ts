import { cleanup, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fullScene } from '../../../stories/scenes'
import { i18n } from '../../i18n.svelte'
import { memberMenu } from '../../menus'
import { faults } from '../../testing/faults'
import { click, sent, started } from '../../testing/hands'
import type { StandIn } from '../../testing/stand-in'
import { member } from '../../testing/views'

beforeAll(() => import('../AdminSheet.svelte'))
afterEach(cleanup)

const plain = (element: Element): string => (element.textContent ?? '').replace(/[\u2066-\u2069]/g, '')

async function listed(api: StandIn): Promise<(code: string) => HTMLElement> {
  const window = await started(api)
  await waitFor(() => expect(window.tree?.view).toBeTruthy())
  window.dialogs.show({ kind: 'admin', page: 'invites' })
  await screen.findAllByTestId('invite')
  return (code) => {
    const found = screen.getAllByTestId('invite').find((one) => one.dataset.code === code)
    if (!found) throw new Error(`there is no invite ${code}`)
    return found
  }
}

describe('the list of invites', () => {
  it('says who made each, what is left of it and who joined with it', async () => {
    const row = await listed(fullScene('en', 'light'))
    expect(plain(row('A'))).toContain('22 of 25 uses left')
    expect(plain(row('A'))).toContain('Created by Fawn')
    expect(plain(row('A'))).toContain('Joined with it: Maple, Kestrel, and Wren')
    expect(plain(row('B')), 'there are more than are named').toContain('Last to join with it: Swift 1')
  })

  it('says that one has lapsed and lets it be taken over; the keyboard stays with it', async () => {
    const api = fullScene('en', 'light')
    const row = await listed(api)
    expect(plain(row('D'))).toContain(i18n.t.invite.lapsed)
    expect(plain(row('D')), 'and what whoever takes it over gets').toContain('Any number of uses, 12 so far')
    expect(plain(row('D'))).toContain(i18n.t.invite.lapsedHint)
    expect(within(row('D')).queryByTestId('invite-row-copy'), 'nobody comes by it').toBeNull()
    expect(within(row('C')).queryByTestId('invite-take-over'), 'one that is over stays so').toBeNull()
    expect(await faults(screen.getByTestId('dialog-admin'))).toEqual([])
    await click('invite-take-over')
    const copy = await within(row('D')).findByTestId('invite-row-copy')
    expect(api.calls).toContain('takeOverInvite')
    await waitFor(() => expect(document.activeElement).toBe(copy))
    expect(plain(row('D'))).toContain('Any number of uses, 12 so far')
  })

  it('says why one could not be taken over', async () => {
    const api = fullScene('en', 'light')
    const row = await listed(api)
    const refuse = (): Promise<never> => Promise.reject(Object.assign(new Error('no'), { code: 'not_found' }))
    api.takeOverInvite = refuse
    await click('invite-take-over')
    expect((await screen.findByTestId('form-error')).textContent).not.toBe('')
    expect(plain(row('D'))).toContain(i18n.t.invite.lapsed)
  })
})

describe('who removes a member', () => {
  const asked = async (may: boolean): Promise<StandIn> => {
    const api = fullScene('en', 'light')
    const tree = api.trees.get('c1')
    if (!tree) throw new Error('there is no community')
    const permissions = tree.permissions.filter((one) => may || one !== 'invite')
    api.trees.set('c1', { ...tree, permissions })
    const window = await started(api)
    await waitFor(() => expect(window.tree?.view).toBeTruthy())
    const items = await memberMenu(window, member('kes', 'Kestrel'))
    items.forEach((item) => item.kind === 'item' && item.label === i18n.t.members.kick && item.run())
    const dialog = await screen.findByTestId('dialog-confirm')
    expect(dialog.textContent, 'who is meant, beyond doubt').toContain('Kestrel (@kes)')
    return api
  }
  const kick = (endsInvites: boolean) => [{ type: 'kick', community: 'c1', member: 'kes', endsInvites }]

  it('is told that the member may come back, and can revoke the links as well', async () => {
    const api = await asked(true)
    expect(screen.getByTestId('dialog-confirm').textContent).toContain('join again')
    expect(screen.getByLabelText(i18n.t.members.kickInvites)).toHaveProperty('checked', false)
    await click('confirm-also')
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toEqual(kick(true)))
  })

  it('revokes nothing unless it is wanted', async () => {
    const api = await asked(true)
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toEqual(kick(false)))
  })

  it('is not asked about links without the right to invite', async () => {
    const api = await asked(false)
    expect(screen.queryByTestId('confirm-also')).toBeNull()
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toEqual(kick(false)))
  })
})
