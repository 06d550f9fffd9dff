import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import type { AccountView, HostingInput, HostingView, Relocation } from '../api'
import App from '../App.svelte'
import { i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'

const ON_FIRE = { code: 'in_use', details: 'open the store: the disk is on fire' }

let api: StandIn
beforeEach(() => {
  api = fullScene('en', 'light')
})
afterEach(cleanup)

const ready = async (): Promise<WindowState> => {
  let window: WindowState | undefined
  render(App, { api, onready: (state: WindowState) => (window = state) })
  await waitFor(() => expect(window).toBeDefined())
  return window as WindowState
}

function setAccount(more: Partial<AccountView>): void {
  const [first, ...others] = api.app.accounts
  if (first) api.app = { ...api.app, accounts: [{ ...first, ...more }, ...others] }
}

function setHosting(more: Partial<HostingView>): void {
  if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, ...more } }
}

describe('a server that cannot be reached', () => {
  it('is tried at once when the person asks, and looked for elsewhere', async () => {
    setAccount({ connection: { state: 'offline', retryAt: Date.now() + 12_000 }, isHostedHere: false })
    const window = await ready()
    const banner = await screen.findByTestId('banner-offline')
    expect(banner.textContent).toContain('The server can’t be reached')
    await fireEvent.click(screen.getByTestId('banner-hurry'))
    expect(api.calls).toContain('hurry')
    await fireEvent.click(screen.getByTestId('banner-relocate'))
    expect(window.dialogs.open.map((one) => one.dialog.kind)).toEqual(['relocate'])
  })

  it('is not looked for elsewhere while it is hosted here', async () => {
    setAccount({ connection: { state: 'offline', retryAt: Date.now() + 12_000 }, isHostedHere: true })
    await ready()
    await screen.findByTestId('banner-offline')
    expect(screen.queryByTestId('banner-relocate')).toBeNull()
  })
})

describe('a server with another key', () => {
  const keys: Relocation = { result: 'otherKey', old: 'OLD-KEY', new: 'NEW-KEY' }

  it('is told in plain words, also that nothing was sent', async () => {
    setAccount({ connection: { state: 'otherKey', retryAt: Date.now() + 12_000 }, isHostedHere: false })
    await ready()
    const banner = await screen.findByTestId('banner-other-key')
    expect(banner.closest('[role=status]'), 'a region that was there before says it').not.toBeNull()
    expect(banner.getAttribute('role'), 'and nothing says it again').toBeNull()
    expect(banner.textContent).toContain('Nothing was sent there, no password either')
    expect(screen.getByTestId('me').textContent).toContain(i18n.t.me.otherKey)
    expect(await faults(banner)).toEqual([])
  })

  it('is trusted by decision only', async () => {
    const asked: (string | null)[] = []
    api.relocate = (_account: string, _link: string, key: string | null) => {
      asked.push(key)
      return Promise.resolve(key === null ? keys : { result: 'found' as const, address: 'wss://10.0.0.7:4780' })
    }
    const window = await ready()
    window.dialogs.show({ kind: 'relocate', account: 's1.me' })
    await fireEvent.input(await screen.findByTestId('relocate-link'), { target: { value: 'tulou://join/?at=…' } })
    await fireEvent.click(screen.getByTestId('relocate-submit'))
    expect((await screen.findByTestId('relocate-old')).textContent).toBe('OLD-KEY')
    expect(screen.getByTestId('relocate-new').textContent).toBe('NEW-KEY')
    expect(await faults(screen.getByTestId('dialog-relocate'))).toEqual([])
    expect(asked, 'nothing is decided yet').toEqual([null])
    await fireEvent.click(screen.getByTestId('relocate-trust'))
    await waitFor(() => expect(window.dialogs.open).toEqual([]))
    expect(asked).toEqual([null, 'NEW-KEY'])
  })
})

describe('the server on this computer', () => {
  const summary = () => screen.getByTestId('reach-summary').textContent

  it.each([
    [{ isOpen: false }, 'nobody else can join'],
    [
      { isOpen: true, addresses: [{ address: 'ws://127.0.0.1:4780', reach: 'thisComputer' as const }] },
      'isn’t connected to a network',
    ],
    [
      { isOpen: true, addresses: [{ address: 'wss://192.168.1.20:4780', reach: 'localNetwork' as const }] },
      'from your local network only',
    ],
    [
      { isOpen: true, addresses: [{ address: 'wss://203.0.113.7:4780', reach: 'internet' as const }] },
      'from the internet',
    ],
  ])('says who reaches it: %j', async (more, words) => {
    setHosting(more)
    await settings()
    expect(summary()).toContain(words)
    expect(await faults(screen.getByTestId('reach'))).toEqual([])
  })

  it('says that its port is taken, and why it does not run', async () => {
    setHosting({ takenPort: 4780, port: 50123, failure: ON_FIRE, addresses: [], key: null })
    await settings()
    expect(screen.getByTestId('reach-port').textContent).toContain('took port 50123')
    expect(screen.getByTestId('hosting-failed').textContent).toContain('the disk is on fire')
    await fireEvent.click(screen.getByTestId('hosting-start'))
    expect(api.calls).toContain('startHosting')
  })

  it('says in words that a part of it broke, and what is wrong with the clock here', async () => {
    setHosting({ failure: { code: 'broken', details: 'what tells of commits broke' }, addresses: [], key: null })
    await settings()
    expect(screen.getByTestId('hosting-failed').textContent).toContain('A part of it broke')
    cleanup()
    setHosting({ failure: null, clock: 'doubted' })
    await settings()
    expect(screen.getByTestId('hosting-clock').textContent).toContain('may be ahead')
    expect(await faults(screen.getByTestId('reach'))).toEqual([])
  })

  it('is said to start while its data is looked through, and nothing is put in its place meanwhile', async () => {
    setHosting({ isStarting: true, addresses: [], key: null })
    const [first, ...others] = api.app.accounts
    if (!first) throw new Error('the scene has an account')
    const offline = { ...first, connection: { state: 'offline' as const, retryAt: Date.now() + 9_000 } }
    api.app = { ...api.app, accounts: [offline, ...others] }
    const window = await ready()
    expect((await screen.findByTestId('banner-hosting-starts')).textContent).toContain('is starting')
    expect(screen.queryByTestId('banner-offline'), 'nobody has to look for it').toBeNull()
    window.dialogs.show({ kind: 'settings', page: 'server' })
    const said = await screen.findByTestId('hosting-starts')
    expect(said.textContent).toContain('is starting')
    expect(screen.queryByTestId('settings-restore')).toBeNull()
    expect(screen.queryByTestId('backup-list')).toBeNull()
    expect(screen.queryByTestId('reach')).toBeNull()
    expect(await faults()).toEqual([])
    window.dialogs.closeAll()
    window.dialogs.show({ kind: 'add' })
    await screen.findByTestId('dialog-add')
    expect(screen.queryByTestId('add-host'), 'this computer hosts').toBeNull()
  })

  it('tells what is wrong with it in the window, not only in the settings', async () => {
    setHosting({ takenPort: 4780, port: 50123 })
    await ready()
    expect((await screen.findByTestId('banner-port')).textContent).toContain('took port 50123')
    await fireEvent.click(screen.getByTestId('banner-port-seen'))
    await waitFor(() => expect(screen.queryByTestId('banner-port')).toBeNull())
    cleanup()
    setHosting({ failure: ON_FIRE })
    await ready()
    const banner = await screen.findByTestId('banner-not-hosting')
    expect(banner.textContent).toContain(i18n.t.reach.failures.in_use)
    expect(banner.textContent, 'what programs say among themselves is for the details').not.toContain('on fire')
    cleanup()
    i18n.use('zh-CN')
    api = fullScene('zh-CN', 'light')
    setHosting({ failure: ON_FIRE })
    await ready()
    expect((await screen.findByTestId('banner-not-hosting')).textContent).not.toMatch(/[a-z]{4}/)
  })

  it('lets others join from the invite, too', async () => {
    setHosting({ isOpen: false })
    const window = await ready()
    await window.openCommunity('s1.me', 'c1')
    window.dialogs.show({ kind: 'invite' })
    await screen.findByTestId('invite-only-here')
    await fireEvent.click(screen.getByTestId('invite-let-others'))
    expect(api.calls).toContain('letOthers')
  })

  it('is announced in the local network unless the person does not want it', async () => {
    setHosting({ isOpen: true, isAnnounced: true, ownAddress: 'wss://house.example.org' })
    const wished: HostingInput[] = []
    api.letOthers = (input?: HostingInput) => {
      if (input) wished.push(input)
      return Promise.resolve(null)
    }
    await settings()
    const box = screen.getByTestId<HTMLInputElement>('reach-announced')
    expect(box.checked).toBe(true)
    await fireEvent.click(box)
    expect(wished, 'nothing else changes').toEqual([
      { isOpen: true, ownAddress: 'wss://house.example.org', isAnnounced: false },
    ])
    cleanup()
    setHosting({ isOpen: false })
    await settings()
    expect(screen.queryByTestId('reach-announced'), 'nobody else reaches it: there is nothing to announce').toBeNull()
  })

  async function settings(): Promise<void> {
    const window = await ready()
    window.dialogs.show({ kind: 'settings' })
    // The page is read when it is asked for.
    await fireEvent.click(await screen.findByTestId('page-server', undefined, { timeout: 20_000 }))
    await screen.findByTestId('reach')
  }
})
