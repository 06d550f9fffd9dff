import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { firstStartScene, fullScene } from '../../stories/scenes'
import type { KeptView, KeyringView } from '../api'
import App from '../App.svelte'
import { i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'
import { account } from '../testing/views'

// Looking for faults takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })
afterEach(() => {
  vi.unstubAllGlobals()
  cleanup()
})

const ready = async (api: StandIn): Promise<WindowState> => {
  let window: WindowState | undefined
  render(App, { api, onready: (state: WindowState) => (window = state) })
  await waitFor(() => expect(window).toBeDefined())
  return window as WindowState
}

/** Two accounts: how the keyring keeps the open one, and the other. */
function withKept(keyring: KeyringView, mine: KeptView, other: KeptView): StandIn {
  const api = fullScene('en', 'light')
  const [first] = api.app.accounts
  if (!first) throw new Error('the scene has an account')
  const work = account({ key: 's9.work', displayName: 'Work', serverName: 'Office', communities: [] })
  const isOut = (kept: KeptView): boolean => kept === 'unread' || kept === 'unforgotten'
  api.app = {
    ...api.app,
    keyring,
    accounts: [
      { ...first, kept: mine, connection: { state: isOut(mine) ? 'signedOut' : 'synced' } },
      { ...work, kept: other, connection: { state: isOut(other) ? 'signedOut' : 'synced' } },
    ],
  }
  return api
}

const said = (): string[] => screen.queryAllByTestId(/^banner-/).map((one) => one.dataset['testid'] ?? '')

describe('the keyring', () => {
  it('is waited for by name, also by an account that is not open, in a region that was there before', async () => {
    const api = withKept('works', 'settled', 'settled')
    const window = await ready(api)
    const before = document.querySelector('main [role=status]')
    expect(said()).toEqual([])
    api.app = withKept('waits', 'settled', 'reading').app
    await window.ask()
    const banner = await screen.findByTestId('banner-keyring-reading')
    expect(before?.contains(banner)).toBe(true)
    expect(banner.textContent).toContain('“Work · Office”')
    expect(banner.textContent).not.toContain('Solstice')
    await fireEvent.click(within(banner).getByTestId('keyring-sign-in'))
    expect(window.dialogs.open.map((one) => one.dialog)).toEqual([{ kind: 'signIn', account: 's9.work' }])
    expect((await screen.findByTestId('dialog-sign-in')).textContent).toContain('Waiting for the keyring')
  })

  it.each(['keeping', 'forgetting'] as const)('is waited for when it has something to do: %s', async (kept) => {
    await ready(withKept('waits', kept, 'settled'))
    const banner = screen.getByTestId(`banner-keyring-${kept}`)
    expect(within(banner).queryByRole('button'), 'nothing has to be done here').toBeNull()
    expect(await faults()).toEqual([])
  })

  it('that was not opened is asked again, and nobody is said to be signed out', async () => {
    const api = withKept('refused', 'unread', 'unread')
    await ready(api)
    expect(said()).toEqual(['banner-keyring-unread'])
    const banner = screen.getByTestId('banner-keyring-unread')
    expect(banner.textContent).toMatch(/“.+” and “Work · Office”/)
    expect(screen.queryByTestId('dialog-sign-in'), 'the session may be good').toBeNull()
    await fireEvent.click(within(banner).getByTestId('keyring-again'))
    expect(api.calls).toContain('askKeyring')
    expect(await faults()).toEqual([])
  })

  it.each(['unkept', 'unforgotten'] as const)('that did not do it is told of until that was read: %s', async (kept) => {
    const api = withKept('refused', 'settled', kept)
    const window = await ready(api)
    const banner = screen.getByTestId(`banner-keyring-${kept}`)
    await fireEvent.click(within(banner).getByTestId('keyring-again'))
    expect(api.calls).toContain('askKeyring')
    await fireEvent.click(within(banner).getByTestId('keyring-seen'))
    await waitFor(() => expect(said()).toEqual([]))
    api.app = withKept('refused', kept, kept).app
    await window.ask()
    await screen.findByTestId(`banner-keyring-${kept}`)
  })

  it('that is missing is told once, before the password, and asked again: it may be started late', async () => {
    const api = withKept('missing', 'unread', 'unkept')
    await ready(api)
    expect(said()).toEqual(['banner-keyring-unread'])
    expect(screen.getByTestId('banner-keyring-unread').textContent).toContain('No keyring was found')
    const dialog = await screen.findByTestId('dialog-sign-in')
    expect(dialog.textContent, 'it may have it').toContain('No keyring was found')
    expect(document.activeElement, 'the keyboard is where one types').toBe(
      within(dialog).getByTestId('sign-in-password'),
    )
    await fireEvent.click(within(dialog).getByTestId('keyring-again'))
    expect(api.calls).toContain('askKeyring')
    expect(await faults(dialog)).toEqual([])
  })

  it('that comes late takes the question for the password back', async () => {
    const api = withKept('missing', 'unread', 'settled')
    const window = await ready(api)
    await screen.findByTestId('dialog-sign-in')
    const signedIn = withKept('works', 'settled', 'settled').app
    api.app = {
      ...signedIn,
      accounts: signedIn.accounts.map((one) => ({ ...one, connection: { state: 'connecting' as const } })),
    }
    await window.ask()
    await waitFor(() => expect(window.dialogs.open).toEqual([]))
  })

  it('that does no better when it is asked again has that said', async () => {
    const api = withKept('refused', 'settled', 'unkept')
    const window = await ready(api)
    await fireEvent.click(screen.getByTestId('keyring-again'))
    await waitFor(() =>
      expect(window.toasts.shown.map((one) => one.text)).toEqual([i18n.t.keyring.still.refused('the keyring')]),
    )
    window.toasts.shown = []
    api.askKeyring = () => {
      api.app = withKept('works', 'settled', 'settled').app
      return Promise.resolve(null)
    }
    await fireEvent.click(screen.getByTestId('keyring-again'))
    await waitFor(() => expect(said()).toEqual([]))
    expect(window.toasts.shown, 'nothing is left to say').toEqual([])
  })

  it('stands above a form also for whoever goes through it by key', async () => {
    const api = firstStartScene('en', 'light')
    api.app = { ...api.app, keyring: 'missing' }
    await ready(api)
    const region = screen.getByTestId('first-keyring-missing').parentElement
    await fireEvent.click(screen.getByTestId('first-join'))
    const again = screen.getByTestId('keyring-again')
    expect(again.closest('[role=status]'), 'it is the region that was there').toBe(region)
    const form = document.querySelector('.card') as HTMLElement
    expect(again.compareDocumentPosition(form) & Node.DOCUMENT_POSITION_FOLLOWING).toBeTruthy()
  })

  it.each([
    ['refused', 'for now'],
    ['missing', 'no keyring'],
  ] as const)('that was not opened at the first start can be asked again there: %s', async (keyring, words) => {
    const api = firstStartScene('en', 'light')
    api.app = { ...api.app, keyring }
    await ready(api)
    const note = screen.getByTestId(`first-keyring-${keyring}`)
    expect(note.textContent).toContain(words)
    await fireEvent.click(within(note).getByTestId('keyring-again'))
    expect(api.calls).toContain('askKeyring')
    expect(await faults()).toEqual([])
  })

  it.each([
    ['Win32', 'Credential Manager', '凭据管理器'],
    ['MacIntel', 'the keychain', '钥匙串'],
    ['Linux x86_64', 'the keyring', '密钥环'],
  ])('is called what the system calls it: %s', (platform, en, zh) => {
    vi.stubGlobal('navigator', { ...navigator, platform, languages: ['en'] })
    for (const [locale, name] of [
      ['en', en],
      ['zh-CN', zh],
    ] as const) {
      i18n.use(locale)
      expect(i18n.keyringNote('waits')).toContain(name)
    }
    i18n.use('en')
  })
})
