import { describe, expect, it } from 'vitest'
import { Refused, type TopicView } from '../api'
import { i18n } from '../i18n.svelte'
import { StandIn } from '../testing/stand-in'
import { account, appView, topic, tree } from '../testing/views'
import { Toasts } from './dialogs.svelte'
import { WindowState } from './window.svelte'

const settle = () => new Promise((resolve) => setTimeout(resolve))

describe('the window', () => {
  const scene = () => {
    const api = new StandIn()
    const badge = { unread: 0, mentions: 0, hasDot: false }
    api.app = appView({
      accounts: [account({ communities: [{ id: 'c1', name: 'One', badge, isPending: false }] })],
    })
    api.trees.set(
      'c1',
      tree({
        groups: [
          {
            id: 'g',
            name: 'G',
            badge,
            permissions: [],
            isPending: false,
            topics: [topic('t1', 'One'), topic('t2', 'Two')],
          },
        ],
      }),
    )
    return api
  }

  it('opens where it was', async () => {
    const api = scene()
    api.app = { ...api.app, lastPlace: { account: 's1.me', community: 'c1', topic: 't2' } }
    const window = new WindowState(api)
    await window.start()
    await settle()
    expect(window.place?.topic).toBe('t2')
    expect(window.topicView?.name).toBe('Two')
  })

  it('sends what was changed of the settings, and nothing else', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    window.set({ theme: 'dark' })
    expect(window.view?.settings.theme, 'at once').toBe('dark')
    // Another window changed something meanwhile.
    api.app = { ...api.app, settings: { ...api.app.settings, textSize: 140 } }
    api.tell({ type: 'app' })
    await settle()
    window.set({ collapse: ['g'] })
    window.set({ collapse: ['h'] })
    window.set({ expand: ['g'] })
    await settle()
    expect(api.app.settings).toEqual({ ...api.app.settings, theme: 'dark', textSize: 140, collapsed: ['h'] })
    api.tell({ type: 'app' })
    await settle()
    expect(window.view?.settings).toEqual(api.app.settings)
  })

  it('remembers the last topic of a community for each account', async () => {
    const api = scene()
    const badge = { unread: 0, mentions: 0, hasDot: false }
    const communities = [{ id: 'c1', name: 'One', badge, isPending: false }]
    api.app = appView({ accounts: [account({ communities }), account({ key: 's1.other', communities })] })
    const window = new WindowState(api)
    await window.start()
    await settle()
    window.openTopic('t2')
    await window.openCommunity('s1.other', 'c1')
    expect(window.place, 'the other one has read nothing there yet').toEqual({
      account: 's1.other',
      community: 'c1',
      topic: 't1',
    })
    await window.openCommunity('s1.me', 'c1')
    expect(window.place?.topic).toBe('t2')
  })

  it('reads again what became stale on its account only', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    const reads = (): number => api.calls.filter((call) => call === 'treeView').length
    const before = reads()
    api.tell({ type: 'tree', account: 's1.other', community: 'c1' })
    await settle()
    expect(reads()).toBe(before)
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    await settle()
    expect(reads()).toBe(before + 1)
  })

  it('opens the first topic when it does not know better', async () => {
    const window = new WindowState(scene())
    await window.start()
    await settle()
    expect(window.place).toEqual({ account: 's1.me', community: 'c1', topic: 't1' })
  })

  it('leaves a topic that is gone', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    const shown = api.trees.get('c1')
    if (shown) api.trees.set('c1', { ...shown, groups: shown.groups.map((g) => ({ ...g, topics: g.topics.slice(1) })) })
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    await settle()
    expect(window.place?.topic).toBe('t2')
    expect(api.calls).toContain('leaveTopic')
    expect(window.toasts.shown.map((one) => one.text)).toEqual([i18n.t.topic.vanished('One')])
  })

  it('leaves a topic that is locked, and stays where it went when more comes', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    const shown = api.trees.get('c1')
    const lock = (one: TopicView) => (one.id === 't1' ? { ...one, isLocked: true } : one)
    if (shown)
      api.trees.set('c1', { ...shown, groups: shown.groups.map((g) => ({ ...g, topics: g.topics.map(lock) })) })
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    await settle()
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    await settle()
    expect(window.place?.topic).toBe('t2')
    expect(window.toasts.shown.map((one) => one.text)).toEqual([i18n.t.topic.vanished('One')])
  })

  it('leaves a community that is gone', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    api.app = { ...api.app, accounts: [account({ communities: [] })] }
    api.tell({ type: 'app' })
    await settle()
    expect(window.place).toEqual({ account: 's1.me', community: null, topic: null })
    expect(window.tree).toBeNull()
    expect(window.toasts.shown, 'who was removed is told').toHaveLength(1)
  })

  it('does not tell the person what the person did', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    await window.remove('s1.me', 'c1', { type: 'leaveCommunity', community: 'c1' })
    api.app = { ...api.app, accounts: [account({ communities: [] })] }
    api.tell({ type: 'app' })
    await settle()
    expect(window.place).toEqual({ account: 's1.me', community: null, topic: null })
    expect(window.toasts.shown).toEqual([])
  })

  it('waits for a community that was just made to appear', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    await window.openNew({ account: 's1.me', community: 'c9', topic: null })
    await settle()
    expect(window.place?.community).toBe('c9')
  })

  it('reads again only what a note names', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    api.calls.length = 0
    api.tell(
      { type: 'timeline', account: 's1.me', topic: 'other' },
      { type: 'tree', account: 's1.me', community: 'c1' },
    )
    await settle()
    expect(api.calls).toEqual(['treeView'])
  })

  it('asks to sign in at the start when there is no keyring, and only then', async () => {
    const signedOut = { connection: { state: 'signedOut' as const } }
    const api = new StandIn()
    api.app = appView({ keyring: 'missing', accounts: [account(signedOut)] })
    const window = new WindowState(api)
    await window.start()
    expect(window.dialogs.open.map((one) => one.dialog.kind)).toEqual(['signIn'])
    window.dialogs.closeAll()
    await window.ask()
    expect(window.dialogs.open, 'once').toEqual([])

    api.app = appView({ keyring: 'missing' })
    const other = new WindowState(api)
    await other.start()
    api.app = appView({ keyring: 'missing', accounts: [account(signedOut)] })
    await other.ask()
    expect(other.dialogs.open, 'not after signing out').toEqual([])
  })

  it('asks two to sign in, one after the other', async () => {
    const signedOut = { connection: { state: 'signedOut' as const } }
    const api = new StandIn()
    api.app = appView({ keyring: 'missing', accounts: [account(signedOut), account({ ...signedOut, key: 's2.me' })] })
    const window = new WindowState(api)
    await window.start()
    const asked = () => window.dialogs.open.map((one) => one.dialog)
    expect(asked()).toEqual([{ kind: 'signIn', account: 's1.me' }])
    await window.ask()
    expect(asked()).toHaveLength(1)
    window.dialogs.closeAll()
    window.askToSignIn()
    expect(asked()).toEqual([{ kind: 'signIn', account: 's2.me' }])
    window.dialogs.closeAll()
    window.askToSignIn()
    expect(asked()).toEqual([])
  })

  it('shows a refusal in words', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    api.refusal = 'rank_too_low'
    await window.act({ type: 'kick', community: 'c1', member: 'x', endsInvites: false })
    expect(window.toasts.shown.map((toast) => toast.isError)).toEqual([true])
  })

  it('tells a full disk in one place', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    const noRoom = new Refused({ code: 'no_room', message: '', rejection: null })
    window.fail(noRoom)
    await settle()
    expect(window.toasts.shown, 'nothing else says it yet').toHaveLength(1)
    window.toasts.shown = []
    const store = { file: '', trouble: 'noRoom' as const, aside: null }
    api.app = { ...api.app, accounts: api.app.accounts.map((one) => ({ ...one, store })) }
    window.fail(noRoom)
    await settle()
    expect(window.account?.store.trouble).toBe('noRoom')
    expect(window.toasts.shown, 'the banner above the timeline says it').toEqual([])
  })
})

describe('notices', () => {
  it('say the same thing once, the newest last', () => {
    const toasts = new Toasts()
    toasts.show('one', true)
    toasts.show('two')
    toasts.show('one', true)
    expect(toasts.shown.map((toast) => toast.text)).toEqual(['two', 'one'])
  })

  it('push out no error, which stays until it is closed', () => {
    const toasts = new Toasts()
    toasts.show('not saved', true)
    for (const text of ['one', 'two', 'three', 'four', 'five']) toasts.show(text)
    expect(toasts.shown.map((toast) => toast.text)).toEqual(['not saved', 'three', 'four', 'five'])
    for (const text of ['a', 'b', 'c', 'd']) toasts.show(text, true)
    expect(
      toasts.shown.map((toast) => toast.text),
      'nothing but errors: the oldest goes',
    ).toEqual(['a', 'b', 'c', 'd'])
    for (const text of ['one', 'two']) toasts.show(text)
    expect(
      toasts.shown.map((toast) => toast.text),
      'but not for a notice',
    ).toEqual(['a', 'b', 'c', 'd', 'two'])
  })
})
