import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { firstStartScene, fullScene } from '../../stories/scenes'
import type { AccountView } from '../api'
import App from '../App.svelte'
import { i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'

const ready = async (api: StandIn): Promise<WindowState> => {
  let window: WindowState | undefined
  render(App, { api, onready: (state: WindowState) => (window = state) })
  await waitFor(() => expect(window).toBeDefined())
  return window as WindowState
}

/** The open account is like this. */
function withAccount(change: Partial<AccountView>): StandIn {
  const api = fullScene('en', 'light')
  const [first, ...others] = api.app.accounts
  if (!first) throw new Error('the scene has an account')
  api.app = { ...api.app, accounts: [{ ...first, ...change }, ...others] }
  return api
}

const lostIn = (topic: string, count: number, community: string | null = 'c1') => ({
  topic,
  community,
  name: `topic ${topic}`,
  count,
})

// Looking for faults takes its time on a busy machine.
vi.setConfig({ testTimeout: 60_000 })
afterEach(cleanup)

describe('the first start', () => {
  it('says at every step that no sign-in can be kept, in a region that was there before', async () => {
    const api = firstStartScene('en', 'light')
    const window = await ready(api)
    const region = within(screen.getByTestId('first-start')).getByRole('status')
    expect(region.textContent.trim()).toBe('')
    await fireEvent.click(screen.getByTestId('first-join'))
    await screen.findByTestId('join-link')
    api.app = { ...api.app, keyring: 'missing' }
    await window.ask()
    const note = await screen.findByTestId('first-keyring-missing')
    expect(region.contains(note), 'the same region says it').toBe(true)
    await fireEvent.click(screen.getByText('Back'))
    expect(await screen.findByTestId('first-keyring-missing')).toBe(note)
    expect(await faults()).toEqual([])
  })
})

describe('restoring', () => {
  it('is offered at the first start, says what is in the file, and leads to signing in', async () => {
    const api = firstStartScene('en', 'light')
    await ready(api)
    await fireEvent.click(screen.getByTestId('first-restore'))
    await fireEvent.input(screen.getByTestId('restore-path'), { target: { value: '/usb/notes.txt' } })
    await fireEvent.click(screen.getByTestId('restore-look'))
    await screen.findByText('This file isn’t a backup of a Tulou server.')
    await fireEvent.click(screen.getByTestId('restore-pick'))
    const peek = await screen.findByTestId('restore-peek')
    expect(peek.textContent).toContain('2 communities, 12 accounts')
    expect(await faults()).toEqual([])
    await fireEvent.click(screen.getByTestId('restore-submit'))
    const link = await screen.findByTestId('join-link')
    expect(link).toHaveProperty('value', 'ws://127.0.0.1:4780')
    expect(api.calls).toContain('restoreBackup /b/now.tulou-backup')
  })

  it('says what becomes of the server that is there', async () => {
    const api = fullScene('en', 'light')
    api.peeked = { ...api.peeked, replaces: 'My house', isSameServer: false }
    const window = await ready(api)
    window.dialogs.show({ kind: 'restore', path: '/b/a.tulou-backup' })
    const said = await screen.findByTestId('restore-replaces')
    expect(said.textContent).toContain('“My house”, which stops')
    expect(said.textContent).toContain('not deleted')
  })

  it('is not done for a file that was typed over after it was looked at', async () => {
    const api = fullScene('en', 'light')
    const window = await ready(api)
    window.dialogs.show({ kind: 'restore', path: '/b/a.tulou-backup' })
    await screen.findByTestId('restore-peek')
    await fireEvent.input(screen.getByTestId('restore-path'), { target: { value: '/b/b.tulou-backup' } })
    expect(screen.queryByTestId('restore-submit')).toBeNull()
  })
})

describe('backups', () => {
  it('are listed with date and size, and made when asked for', async () => {
    const api = fullScene('en', 'light')
    api.backups = {
      ...api.backups,
      backups: [
        {
          path: '/b/daily-1.tulou-backup',
          name: 'daily-1.tulou-backup',
          madeAt: 1_795_000_000_000,
          bytes: 4_234_567,
          isDaily: true,
          isReadable: true,
        },
        {
          path: '/b/odd.tulou-backup',
          name: 'odd.tulou-backup',
          madeAt: 1_794_000_000_000,
          bytes: 12,
          isDaily: false,
          isReadable: false,
        },
      ],
    }
    const window = await ready(api)
    window.dialogs.show({ kind: 'settings' })
    await fireEvent.click(await screen.findByTestId('page-server', {}, { timeout: 10_000 }))
    const list = await screen.findByTestId('backup-list')
    expect(list.textContent).toMatch(/Daily\s+·\s+4\.2 MB/)
    expect(list.textContent).toMatch(/Can’t be read\s+·\s+12 byte/)
    expect(await faults()).toEqual([])
    await fireEvent.click(screen.getByTestId('backup-now'))
    await waitFor(() => expect(screen.getAllByTestId('backup-restore')).toHaveLength(3))
    await fireEvent.click(screen.getByTestId('backup-folder'))
    expect(api.calls).toContain('openBackups')
  })

  it('say why the last one was not made', async () => {
    const api = fullScene('en', 'light')
    if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, backupFailure: 'backup_no_room' } }
    const window = await ready(api)
    window.dialogs.show({ kind: 'settings' })
    await fireEvent.click(await screen.findByTestId('page-server', {}, { timeout: 10_000 }))
    const said = await screen.findByTestId('backup-failure')
    expect(said.textContent).toContain('isn’t enough disk space')
  })
})

describe('what a restored server lost', () => {
  it('is listed as it was asked for last, whichever is answered first', async () => {
    const api = withAccount({ lost: [lostIn('t3', 2)] })
    const answers: (() => void)[] = []
    const two = [
      { id: 'l1', text: 'after, one', writtenAt: 1 },
      { id: 'l2', text: 'after, two', writtenAt: 2 },
    ]
    api.lostMessages = () => {
      const asked = api.lost
      return new Promise((resolve) => answers.push(() => resolve(asked)))
    }
    api.lost = two
    await ready(api)
    await fireEvent.click(await screen.findByTestId('lost-list'))
    api.lost = two.slice(1)
    const accounts = api.app.accounts.map((one) => ({ ...one, lost: one.lost.map((lost) => ({ ...lost, count: 1 })) }))
    api.app = { ...api.app, accounts }
    api.tell({ type: 'app' })
    await waitFor(() => expect(screen.getByTestId('lost').textContent).toContain('One of your messages'))
    // The last asked first, as far as they are there.
    for (let turn = 0; turn < 3; turn += 1) {
      answers
        .splice(0)
        .reverse()
        .forEach((answer) => answer())
      await new Promise((resolve) => setTimeout(resolve))
    }
    expect(screen.getAllByTestId('lost-message').map((one) => one.querySelector('p')?.textContent)).toEqual([
      'after, two',
    ])
  })

  it('is offered in its topic, one by one or all at once', async () => {
    const api = withAccount({ lost: [lostIn('t3', 2)] })
    api.lost = [
      { id: 'l1', text: 'after, one', writtenAt: 1 },
      { id: 'l2', text: 'after, two', writtenAt: 2 },
    ]
    await ready(api)
    const bar = await screen.findByTestId('lost')
    expect(bar.textContent).toContain('2 of your messages are gone')
    expect(screen.queryByTestId('banner-lost')).toBeNull()
    await fireEvent.click(screen.getByTestId('lost-list'))
    await waitFor(() => expect(screen.getAllByTestId('lost-message')).toHaveLength(2))
    expect(await faults()).toEqual([])
    await fireEvent.click(screen.getByRole('button', { name: 'Send “after, one” again' }))
    await waitFor(() => expect(api.calls).toContain('sendLost t3 l1'))
    await fireEvent.click(screen.getByRole('button', { name: 'Discard “after, two”' }))
    await waitFor(() => expect(api.calls).toContain('discardLost t3 l2'))
    await fireEvent.click(screen.getByTestId('lost-send'))
    await waitFor(() => expect(api.calls).toContain('sendLost t3 all'))
    await fireEvent.click(screen.getByTestId('lost-discard'))
    expect(api.calls).not.toContain('discardLost t3 all')
    await fireEvent.click(await screen.findByTestId('confirm-submit'))
    await waitFor(() => expect(api.calls).toContain('discardLost t3 all'))
  })

  it('is named above when it stands elsewhere, and can be copied where a topic is gone', async () => {
    const api = withAccount({ lost: [lostIn('t3', 1), lostIn('t9', 3), lostIn('gone', 1, null)] })
    await ready(api)
    const banner = await screen.findByTestId('banner-lost')
    expect(banner.textContent).toContain('4 of your messages in other topics are gone')
    await fireEvent.click(screen.getByTestId('lost-show'))
    const dialog = await screen.findByTestId('dialog-lost')
    expect(dialog.querySelectorAll('[data-testid=lost]')).toHaveLength(3)
    const gone = dialog.querySelector('[data-topic=gone]')
    expect(gone?.textContent).toContain('You can copy the text')
    expect(gone?.querySelector('[data-testid=lost-send]')).toBeNull()
    expect(await faults()).toEqual([])
  })
})

describe('a server without room', () => {
  it('is told to everybody when it only reads, with what becomes of what is written', async () => {
    await ready(withAccount({ disk: 'full', isHostedHere: false, isServerAdmin: false }))
    const banner = await screen.findByTestId('banner-disk-full')
    expect(banner.textContent).toContain('waits here and is sent when there is room')
  })

  it('is told beforehand to those who can make room, and to nobody else', async () => {
    await ready(withAccount({ disk: 'low', isHostedHere: false, isServerAdmin: false }))
    await screen.findAllByTestId('message')
    expect(screen.queryByTestId('banner-disk-low')).toBeNull()
    cleanup()
    await ready(withAccount({ disk: 'low', isHostedHere: false, isServerAdmin: true }))
    await screen.findByTestId('banner-disk-low')
    expect(await faults()).toEqual([])
  })
})

describe('a wrong clock', () => {
  const said = async (more: Partial<AccountView>): Promise<string> => {
    await ready(withAccount(more))
    const banner = await screen.findByTestId('banner-clock')
    expect(await faults(banner)).toEqual([])
    return banner.textContent
  }

  it.each([
    [{ clock: 'leapt' as const }, 'of this computer was changed'],
    [{ clock: 'behind' as const }, 'of this computer is behind what is stored'],
    [{ clock: 'behind' as const, isHostedHere: false }, 'of the server’s computer is behind'],
    [{ clock: 'behind' as const, isHostedHere: false, isServerAdmin: false }, 'The server’s clock may be wrong'],
    [{ ahead: 7_200_000, isHostedHere: false }, 'is 2 hours ahead of the server’s'],
    [{ ahead: -86_400_000, isHostedHere: false, isServerAdmin: false }, 'is 1 day behind the server’s'],
  ])('is told to whom it concerns: %j', async (more, words) => {
    expect(await said(more)).toContain(words)
  })

  it.each([
    [{}],
    [{ clock: 'doubted' as const }],
    [{ clock: 'leapt' as const, isHostedHere: false, isServerAdmin: false }],
    [{ ahead: 7_200_000, isHostedHere: true }],
  ])('is not told to whoever can do nothing about it: %j', async (more) => {
    await ready(withAccount(more))
    await screen.findAllByTestId('message')
    expect(screen.queryByTestId('banner-clock')).toBeNull()
  })

  it('is gone once it was read', async () => {
    const api = withAccount({ clock: 'leapt' })
    await ready(api)
    const seen = await screen.findByTestId('banner-clock-seen')
    seen.focus()
    expect(document.activeElement).toBe(seen)
    await fireEvent.click(seen)
    await waitFor(() => expect(screen.queryByTestId('banner-clock')).toBeNull())
    await waitFor(() => expect(document.activeElement).not.toBe(document.body))
  })

  const gone = (): Promise<void> => waitFor(() => expect(screen.queryByTestId('banner-clock')).toBeNull())
  /** The account of this place in the list is like this now. */
  async function become(api: StandIn, window: WindowState, at: number, change: Partial<AccountView>): Promise<void> {
    const accounts = api.app.accounts.map((account, place) => (place === at ? { ...account, ...change } : account))
    api.app = { ...api.app, accounts }
    await window.ask()
  }
  const read = async (): Promise<void> => {
    await fireEvent.click(await screen.findByTestId('banner-clock-seen'))
    await gone()
  }

  it('is told again when it is wrong again, or wrong by something else', async () => {
    const api = withAccount({ isHostedHere: false, ahead: 360_000 })
    const window = await ready(api)
    await read()
    await become(api, window, 0, { ahead: 94_608_000_000 })
    expect((await screen.findByTestId('banner-clock')).textContent).toContain('1,095 days')
    await read()
    await become(api, window, 0, { ahead: null, clock: 'leapt' })
    await read()
    await become(api, window, 0, { clock: 'right' })
    await become(api, window, 0, { clock: 'leapt' })
    await screen.findByTestId('banner-clock')
  })

  it('stays read for each account by itself, until it is right there', async () => {
    const api = withAccount({ clock: 'leapt' })
    const window = await ready(api)
    const [one, other] = api.app.accounts.map((account) => account.key)
    await become(api, window, 1, { isHostedHere: false, ahead: 7_200_000 })
    await read()
    await window.openPlace({ account: other ?? '', community: null, topic: null })
    await read()
    await window.openPlace({ account: one ?? '', community: null, topic: null })
    await tick()
    expect(screen.queryByTestId('banner-clock')).toBeNull()
    // It is right again, and then wrong, while somebody else is open.
    await become(api, window, 1, { ahead: null })
    await become(api, window, 1, { ahead: 7_200_000 })
    await window.openPlace({ account: other ?? '', community: null, topic: null })
    await screen.findByTestId('banner-clock')
  })

  it('is told in a region that was there before', async () => {
    const api = withAccount({})
    const window = await ready(api)
    await screen.findAllByTestId('message')
    const regions = screen.getAllByRole('status')
    await become(api, window, 0, { clock: 'leapt' })
    const banner = await screen.findByTestId('banner-clock')
    expect(regions).toContain(banner.closest('[role=status]'))
  })
})

describe('a port that another program has', () => {
  it('stays read whichever account is open, until it is free again', async () => {
    const api = fullScene('en', 'light')
    const window = await ready(api)
    const [one, other] = api.app.accounts.map((account) => account.key)
    const take = async (takenPort: number | null): Promise<void> => {
      if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, takenPort } }
      await window.ask()
    }
    const gone = (): Promise<void> => waitFor(() => expect(screen.queryByTestId('banner-port')).toBeNull())
    await take(4780)
    await fireEvent.click(await screen.findByTestId('banner-port-seen'))
    await gone()
    await window.openPlace({ account: other ?? '', community: null, topic: null })
    await screen.findByTestId('no-community')
    await window.openPlace({ account: one ?? '', community: null, topic: null })
    await tick()
    expect(screen.queryByTestId('banner-port')).toBeNull()
    await take(null)
    await tick()
    await take(4780)
    await screen.findByTestId('banner-port')
  })
})

describe('spans and sizes', () => {
  it('have a blank between number and word', () => {
    i18n.use('zh-CN')
    const hour = 3_600_000
    expect([hour / 60, 2 * hour, 72 * hour].map((ms) => i18n.span(ms))).toEqual(['1 分钟', '2 小时', '3 天'])
    expect(i18n.t.clock.ahead(i18n.span(2 * hour))).toContain('快 2 小时。')
    expect(i18n.t.clock.late(i18n.span(2 * hour))).toContain('慢 2 小时。')
    expect(i18n.since(Date.now() - 72 * hour)).toBe('3 天前')
    i18n.use('en')
    expect(i18n.span(2 * hour)).toBe('2 hours')
  })
})

describe('sizes', () => {
  it.each([
    [0, '0 byte'],
    [999, '999 byte'],
    [4_234_567, '4.2 MB'],
    [214_748_364_800, '215 GB'],
  ])('%d bytes are %s', (bytes, said) => {
    i18n.use('en')
    expect(i18n.size(bytes)).toBe(said)
  })
})
