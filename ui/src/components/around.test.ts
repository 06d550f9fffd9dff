import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { computeAccessibleName } from 'dom-accessibility-api'
import { afterEach, describe, expect, it } from 'vitest'
import { emptyCommunityScene, fullScene, noCommunityScene, offlineScene } from '../../stories/scenes'
import App from '../App.svelte'
import type { AccountView } from '../api'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'
import { account, NO_BADGE } from '../testing/views'
import type { WindowState } from '../state/window.svelte'
import Rail from './Rail.svelte'

afterEach(cleanup)

async function ready(api: StandIn): Promise<WindowState> {
  const found = await new Promise<WindowState>((resolve) => {
    render(App, { api, onready: resolve })
  })
  // The page of a test is narrow.
  found.isMembersOverlayOpen = true
  return found
}

const found = (selector: string): Promise<HTMLElement> =>
  waitFor(() => {
    const element = document.querySelector<HTMLElement>(selector)
    if (!element) throw new Error(`no ${selector}`)
    return element
  })

/** The first account of a scene, changed. */
function withAccount(api: StandIn, more: Partial<AccountView>): StandIn {
  const [first, ...others] = api.app.accounts
  if (first) api.app = { ...api.app, accounts: [{ ...first, ...more }, ...others] }
  return api
}

describe('without a link', () => {
  it('nobody is said to be online', async () => {
    await ready(offlineScene('en', 'light'))
    const header = await screen.findByTestId('community-menu')
    expect(header.textContent).toContain('Offline')
    expect(header.textContent).toContain('986,120 members')
    expect(header.textContent, 'no number of who is there').not.toContain('online')
    expect(header.querySelector('.dot'), 'no green dot').toBeNull()
    const panel = await screen.findByTestId('members-panel')
    await within(panel).findAllByTestId('member')
    expect(panel.querySelector('.on'), 'nor beside a member').toBeNull()
    expect(panel.textContent).toContain('Not connected')
  })

  it('a list of members that is not held is not called empty', async () => {
    const api = offlineScene('en', 'light')
    api.members = { sections: [], next: null, isFresh: false }
    await ready(api)
    const panel = await screen.findByTestId('members-panel')
    await waitFor(() => expect(panel.textContent).toContain('remembered on this computer'))
    expect(panel.textContent).not.toContain('No members found')
  })

  it('members are read again when the link is back', async () => {
    const api = offlineScene('en', 'light')
    await ready(api)
    await screen.findByTestId('members-panel')
    const reads = (): number => api.calls.filter((call) => call === 'membersView').length
    const before = reads()
    withAccount(api, { connection: { state: 'synced' } })
    api.tell({ type: 'app' })
    await waitFor(() => expect(reads()).toBeGreaterThan(before))
  })
})

describe('communities that are not known yet', () => {
  it('are being loaded while the server is asked', async () => {
    const api = withAccount(noCommunityScene('en', 'light'), { connection: { state: 'syncing' } })
    await ready(api)
    await screen.findByTestId('communities-coming')
    expect(screen.queryByTestId('no-community')).toBeNull()
    withAccount(api, { connection: { state: 'synced' }, coming: 1 })
    api.tell({ type: 'app' })
    await waitFor(() => expect(api.calls.filter((call) => call === 'appView').length).toBeGreaterThan(1))
    expect(screen.queryByTestId('no-community'), 'one has not come yet').toBeNull()
    withAccount(api, { connection: { state: 'synced' }, coming: 0 })
    api.tell({ type: 'app' })
    await screen.findByTestId('no-community')
  })

  it('are unknown and not none while the server cannot be reached', async () => {
    await ready(withAccount(noCommunityScene('en', 'light'), { connection: { state: 'offline', retryAt: 0 } }))
    await screen.findByTestId('communities-unknown')
    expect(screen.queryByTestId('no-community')).toBeNull()
  })
})

describe('the owner of a community in which nobody else is', () => {
  it('sees what to do next', async () => {
    const window = await ready(emptyCommunityScene('en', 'light'))
    const steps = await screen.findByTestId('next-steps')
    await fireEvent.click(within(steps).getByTestId('next-invite'))
    expect(window.dialogs.open.at(-1)?.dialog.kind).toBe('invite')
    await fireEvent.click(within(steps).getByTestId('next-name'))
    expect(window.dialogs.open.at(-1)?.dialog.kind).toBe('admin')
    await fireEvent.click(within(steps).getByTestId('next-topic'))
    expect(window.dialogs.open.at(-1)?.dialog.kind, 'a topic needs a group').toBe('createGroup')
  })

  it('is left alone as soon as somebody has come', async () => {
    await ready(fullScene('en', 'light'))
    await screen.findByTestId('tree')
    expect(screen.queryByTestId('next-steps')).toBeNull()
  })
})

describe('the line about oneself', () => {
  it('says the state of the link, once in the window, and opens the account’s page of the settings', async () => {
    const window = await ready(fullScene('en', 'light'))
    await found('[data-message-id]')
    expect(document.body.textContent.match(/Synced/g)?.length, 'it is said once').toBe(1)
    expect(screen.getAllByRole('button', { name: 'Settings' }).length, 'one gear').toBe(1)
    const me = screen.getByTestId('me-settings')
    expect(me.textContent).toContain('Solstice')
    await fireEvent.click(me)
    expect(window.dialogs.open.at(-1)?.dialog).toEqual({ kind: 'settings', page: 'account' })
    await found('[data-testid=page-account][aria-current]')
  })
})

describe('the keyboard', () => {
  it('reaches every region of the window by Tab, and falls to the body at no dialog that closes', async () => {
    const window = await ready(fullScene('en', 'light'))
    await found('[data-message-id]')
    const stops = [...document.querySelectorAll<HTMLElement>('button, input, textarea, [tabindex]')].filter(
      (one) => one.tabIndex >= 0 && !one.closest('[inert]'),
    )
    for (const region of [
      'nav.rail',
      '[data-testid=tree]',
      '[data-testid=timeline]',
      '[data-testid=members-panel]',
      'textarea',
    ])
      expect(
        stops.some((one) => one.matches(`${region}, ${region} *`)),
        region,
      ).toBe(true)
    const opener = screen.getByTestId('open-switcher')
    for (const kind of ['switcher', 'shortcuts', 'settings', 'invite', 'add', 'createGroup'] as const) {
      opener.focus()
      window.dialogs.show({ kind })
      const dialog = await found('dialog')
      await waitFor(() => expect(dialog.contains(document.activeElement), `${kind} takes the keyboard`).toBe(true))
      await fireEvent.keyDown(document.activeElement ?? dialog, { key: 'Escape' })
      await waitFor(() => expect(document.querySelector('dialog'), `Escape closes ${kind}`).toBeNull())
      await waitFor(() => expect(document.activeElement, `after ${kind}`).toBe(opener))
    }
  })
})

describe('the menus of the tree', () => {
  it('open from a button on the line under the pointer', async () => {
    await ready(fullScene('en', 'light'))
    const topic = await found('[data-topic-id=t4]')
    await fireEvent.click(within(topic).getByTestId('topic-more'))
    expect(await screen.findByRole('menuitem', { name: 'Edit topic' })).toBeTruthy()
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' })
    await fireEvent.click(within(await found('[data-group-id=g2]')).getByTestId('group-more'))
    expect(await screen.findByRole('menuitem', { name: 'Rename group' })).toBeTruthy()
  })

  it('say why a group that has topics cannot be deleted', async () => {
    const window = await ready(fullScene('en', 'light'))
    await fireEvent.contextMenu(await found('[data-group-id=g2]'), { clientX: 40, clientY: 40 })
    const item = await screen.findByRole('menuitem', { name: 'Delete group' })
    expect(item.getAttribute('aria-disabled')).toBe('true')
    expect(item.textContent).toContain('It still has topics')
    await fireEvent.click(item)
    expect(window.dialogs.open).toEqual([])
  })

  it('mark a topic, a group, the community and all of them as read, and take it back', async () => {
    const api = fullScene('en', 'light')
    const window = await ready(api)
    const topic = await found('[data-topic-id=t4]')
    const unread = (): number => Number(document.querySelector<HTMLElement>('[data-topic-id=t4]')?.dataset['mentions'])
    expect(unread()).toBe(4)
    await fireEvent.contextMenu(topic, { clientX: 40, clientY: 40 })
    await fireEvent.click(await screen.findByRole('menuitem', { name: 'Mark as read' }))
    await waitFor(() => expect(unread()).toBe(0))
    await fireEvent.click(await screen.findByTestId('toast-action'))
    await waitFor(() => expect(unread(), 'as it was').toBe(4))
    await fireEvent.contextMenu(await found('[data-group-id=g2]'), { clientX: 40, clientY: 40 })
    await fireEvent.click(await screen.findByRole('menuitem', { name: 'Mark group as read' }))
    await waitFor(() => expect(unread()).toBe(0))
    expect(window.toasts.shown.filter((toast) => toast.action !== null)).toHaveLength(1)
    await fireEvent.click(screen.getByTestId('toast-action'))
    await waitFor(() => expect(unread()).toBe(4))
    await fireEvent.keyDown(document.body, { key: 'R', code: 'KeyR', altKey: true, shiftKey: true })
    await waitFor(() => expect(unread()).toBe(0))
    expect(api.calls).toContain('markRead community')
    await window.marking.readAll()
    expect(api.calls).toContain('markRead global')
  })

  it('mark a topic as unread, by key as well', async () => {
    const api = fullScene('en', 'light')
    const window = await ready(api)
    await found('[data-topic-id=t4]')
    const open = window.place?.topic ?? ''
    await fireEvent.keyDown(document.body, { key: 'u', code: 'KeyU', altKey: true })
    await waitFor(() => expect(api.actions).toContainEqual({ type: 'markUnread', topic: open, seq: null }))
    expect(window.timeline?.reading.isHeld, 'it stays unread while it is open').toBe(true)
  })
})

describe('the window around the conversation', () => {
  it('is made of regions that a screen reader finds', async () => {
    await ready(fullScene('en', 'light'))
    await screen.findByTestId('tree')
    expect(screen.getByRole('navigation', { name: 'Communities' })).toBeTruthy()
    expect(screen.getByRole('region', { name: 'Groups and topics' })).toBeTruthy()
    expect(screen.getByRole('main')).toBeTruthy()
    expect(screen.getByRole('complementary', { name: 'Members' })).toBeTruthy()
    expect(await faults()).toEqual([])
  })
})

describe('the rail', () => {
  const tile = (id: string, name: string): AccountView['communities'][number] => ({
    id,
    name,
    badge: NO_BADGE,
    isPending: false,
  })

  it('tells communities apart that begin with the same letter or have the same name', () => {
    const accounts = [
      account({ key: 'a', serverName: 'Attic', communities: [tile('1', '星海'), tile('2', '星空')] }),
      account({ key: 'b', serverName: 'Cellar', communities: [tile('3', '星海')] }),
    ]
    const none = (): void => undefined
    render(Rail, {
      accounts,
      place: null,
      onopen: none,
      onmenu: none,
      onaccount: none,
      onadd: none,
      onsettings: none,
    })
    const tiles = ['1', '2', '3'].map((id) => screen.getByTestId(`tile-${id}`))
    const letters = (one?: HTMLElement): string | undefined => one?.querySelector('[aria-hidden]')?.textContent
    expect(letters(tiles[0])).not.toBe(letters(tiles[1]))
    expect(tiles[0]?.getAttribute('style'), 'of one name by colour').not.toBe(tiles[2]?.getAttribute('style'))
    expect(tiles.map((one) => computeAccessibleName(one))).toEqual([
      expect.stringContaining('Attic'),
      '星空',
      expect.stringContaining('Cellar'),
    ])
  })
})
