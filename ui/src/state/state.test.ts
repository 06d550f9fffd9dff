import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { TimelineView } from '../api'
import { StandIn } from '../testing/stand-in'
import { account, appView, message, timeline, topic, tree } from '../testing/views'
import { ComposerState } from './composer.svelte'
import { Reading } from './reading'
import { Reread } from './reread'
import { PAGE, TimelineState } from './timeline.svelte'
import { WindowState } from './window.svelte'

const rows = (count: number) => Array.from({ length: count }, (_, i) => message(`m${i + 1}`, i + 1, `text ${i + 1}`))
const settle = () => new Promise((resolve) => setTimeout(resolve))

describe('a rereader', () => {
  it('runs one at a time and once more for any number of askings', async () => {
    let running = 0
    let runs = 0
    let release: (() => void) | undefined
    const reread = new Reread(async () => {
      running += 1
      runs += 1
      expect(running, 'never two at once').toBe(1)
      await new Promise<void>((resolve) => (release = resolve))
      running -= 1
    })
    const done = reread.ask()
    void reread.ask()
    void reread.ask()
    release?.()
    await settle()
    release?.()
    await done
    expect(runs).toBe(2)
  })
})

describe('reading', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('tells at once, then at most once a second, the newest only', () => {
    const told: number[] = []
    const reading = new Reading((seq) => told.push(seq))
    for (const seq of [3, 5, 4, 9]) reading.saw(seq)
    expect(told).toEqual([3])
    vi.advanceTimersByTime(1000)
    expect(told).toEqual([3, 9])
  })

  it('tells what is left on leaving', () => {
    const told: number[] = []
    const reading = new Reading((seq) => told.push(seq))
    reading.saw(3)
    reading.saw(7)
    reading.leave()
    expect(told).toEqual([3, 7])
    vi.advanceTimersByTime(5000)
    expect(told, 'and nothing afterwards').toEqual([3, 7])
  })

  it('tells nothing after a message was marked unread', () => {
    const told: number[] = []
    const reading = new Reading((seq) => told.push(seq))
    reading.hold()
    reading.saw(8)
    reading.leave()
    expect(told).toEqual([])
  })
})

describe('a timeline', () => {
  let api: StandIn
  let lost: string[]
  const make = (view: Partial<TimelineView>) => {
    api = new StandIn()
    lost = []
    api.topics.set('t', timeline({ topic: 't', ...view }))
    return new TimelineState(api, 'a', 't', (error) => lost.push(error.code))
  }
  const seqs = (state: TimelineState) => state.view?.rows.map((row) => row.seq ?? 0) ?? []

  it('enters the topic before it reads, so that the divider is fixed', async () => {
    const state = make({ rows: rows(3) })
    await state.open()
    expect(api.calls).toEqual(['enterTopic', 'timelineView unread'])
    expect(state.aim).toEqual({ to: 'unread' })
  })

  it('opens around the first unread row and then keeps to its stretch', async () => {
    const state = make({ rows: rows(300), firstUnread: 150, unread: 151 })
    await state.open()
    expect(seqs(state)).toContain(150)
    expect(seqs(state)).toHaveLength(PAGE)
    const [first] = seqs(state)
    await state.ask()
    expect(api.calls.at(-1)).toBe('timelineView range')
    expect(seqs(state)[0]).toBe(first)
  })

  it('loads both ways without losing what it has', async () => {
    const state = make({ rows: rows(300), firstUnread: 150 })
    await state.open()
    const had = seqs(state)
    await state.loadBefore()
    await state.loadAfter()
    expect(seqs(state)).toEqual(expect.arrayContaining(had))
    expect(seqs(state)).toHaveLength(PAGE * 3)
  })

  it('follows the end once it has reached it', async () => {
    const state = make({ rows: rows(60) })
    await state.open()
    api.topics.set('t', timeline({ topic: 't', rows: rows(62) }))
    await state.ask()
    expect(seqs(state).at(-1)).toBe(62)
  })

  it('does not follow the end while it stands above it', async () => {
    const state = make({ rows: rows(300), firstUnread: 100 })
    await state.open()
    const last = seqs(state).at(-1)
    api.topics.set('t', timeline({ topic: 't', rows: rows(301), firstUnread: 100 }))
    await state.ask()
    expect(seqs(state).at(-1)).toBe(last)
    await state.jumpToNewest()
    expect(seqs(state).at(-1)).toBe(301)
    expect(state.aim).toEqual({ to: 'end' })
  })

  it('jumps to a message that is not shown, and stays when it cannot be found', async () => {
    const state = make({ rows: rows(300) })
    await state.open()
    await state.jumpTo('m20')
    expect(seqs(state)).toContain(20)
    expect(state.aim).toEqual({ to: 'message', id: 'm20' })
    const shown = seqs(state)
    await state.jumpTo('nowhere')
    expect(lost).toEqual(['not_found'])
    expect(seqs(state)).toEqual(shown)
    await state.ask()
    expect(seqs(state), 'and goes on from where it was').toEqual(shown)
  })

  it('keeps its rows while others are on their way', async () => {
    const state = make({ rows: rows(20) })
    await state.open()
    api.topics.set('t', timeline({ topic: 't', rows: [], isLoading: true }))
    await state.ask()
    expect(seqs(state)).toHaveLength(20)
  })

  it('leaves once, telling how far was read', async () => {
    const state = make({ rows: rows(20) })
    await state.open()
    state.reading.saw(20)
    state.leave()
    state.leave()
    expect(api.calls.filter((call) => call === 'leaveTopic')).toHaveLength(1)
    expect(api.actions).toEqual([{ type: 'advance', topic: 't', seq: 20 }])
  })

  it('finds my last message that can be edited', async () => {
    const mine = { isMine: true, actions: ['edit'] }
    const state = make({ rows: [message('a', 1, 'x', mine), message('b', 2, 'y')] })
    await state.open()
    expect(state.lastEditable()?.id).toBe('a')
  })
})

describe('the composer', () => {
  let api: StandIn
  let failures: unknown[]
  let composer: ComposerState
  beforeEach(() => {
    vi.useFakeTimers()
    localStorage.clear()
    api = new StandIn()
    failures = []
    composer = new ComposerState(api, 'a', 't', (thrown) => failures.push(thrown))
  })
  afterEach(() => void vi.useRealTimers())

  it('stores the draft soon after the last key, with mentions as ids', async () => {
    const save = vi.spyOn(api, 'saveDraft')
    composer.addName('7', '阿澈')
    composer.write('问 @阿澈')
    composer.write('问 @阿澈 一下')
    expect(save).not.toHaveBeenCalled()
    vi.advanceTimersByTime(300)
    expect(save.mock.calls).toEqual([['a', 't', { text: '问 <@7> 一下', replyTo: null }]])
  })

  it('restores a draft with its reply, and names people after a restart', () => {
    composer.addName('7', '阿澈')
    const later = new ComposerState(api, 'a', 't', () => undefined)
    later.restore({ text: 'hi <@7>', replyTo: 'm1' }, () => message('m1', 1, ''))
    expect(later.text).toBe('hi @阿澈')
    expect(later.reply).toEqual({ id: 'm1', author: '林间鹿' })
  })

  it('does not let a late draft overwrite what was typed', () => {
    composer.write('typed')
    composer.restore({ text: 'old', replyTo: null }, () => undefined)
    expect(composer.text).toBe('typed')
  })

  it('tries a draft that could not be stored again, and says so once', async () => {
    const save = vi.spyOn(api, 'saveDraft').mockRejectedValue(new Error('the disk is full'))
    for (const text of ['half', 'half a', 'half a thought']) {
      composer.write(text)
      await vi.advanceTimersByTimeAsync(300)
    }
    expect(failures, 'one note for three tries').toHaveLength(1)
    save.mockResolvedValue(null)
    composer.leave()
    expect(save, 'nothing was typed since, and it is not stored yet').toHaveBeenCalledTimes(4)
    expect(save).toHaveBeenLastCalledWith('a', 't', { text: 'half a thought', replyTo: null })
  })

  it('stores the draft at once on leaving, and not when nothing changed', () => {
    const save = vi.spyOn(api, 'saveDraft')
    composer.leave()
    expect(save).not.toHaveBeenCalled()
    composer.write('half a thought')
    composer.leave()
    expect(save).toHaveBeenCalledOnce()
  })

  it('sends what was written and is empty', async () => {
    composer.addName('7', 'Ann')
    composer.write(' @Ann look ')
    await composer.send()
    expect(api.actions).toEqual([{ type: 'sendMessage', topic: 't', text: '<@7> look', replyTo: null }])
    expect(composer.text).toBe('')
  })

  it('gives the text back when it could not be kept', async () => {
    api.refusal = 'storage'
    composer.write('precious')
    await composer.send()
    expect(composer.text).toBe('precious')
    expect(failures).toHaveLength(1)
  })

  it('does not send nothing, nor too much', async () => {
    composer.write('  \n ')
    expect(composer.canSend).toBe(false)
    composer.write('林'.repeat(6000))
    expect(composer.isTooLong).toBe(true)
    await composer.send()
    expect(api.actions).toEqual([])
  })

  it('edits, and gives back what was being written before', async () => {
    composer.write('unfinished')
    composer.startEdit(message('m1', 1, 'helo', { isMine: true }))
    expect(composer.text).toBe('helo')
    composer.write('hello')
    await composer.send()
    expect(api.actions).toEqual([{ type: 'editMessage', topic: 't', message: 'm1', text: 'hello' }])
    expect(composer.text).toBe('unfinished')
  })
})

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
    api.app = appView({ hasKeyring: false, accounts: [account(signedOut)] })
    const window = new WindowState(api)
    await window.start()
    expect(window.dialogs.open.map((one) => one.dialog.kind)).toEqual(['signIn'])
    window.dialogs.closeAll()
    await window.ask()
    expect(window.dialogs.open, 'once').toEqual([])

    api.app = appView({ hasKeyring: false })
    const other = new WindowState(api)
    await other.start()
    api.app = appView({ hasKeyring: false, accounts: [account(signedOut)] })
    await other.ask()
    expect(other.dialogs.open, 'not after signing out').toEqual([])
  })

  it('shows a refusal in words', async () => {
    const api = scene()
    const window = new WindowState(api)
    await window.start()
    await settle()
    api.refusal = 'rank_too_low'
    await window.act({ type: 'kick', community: 'c1', member: 'x' })
    expect(window.toasts.shown.map((toast) => toast.isError)).toEqual([true])
  })
})

describe('a timeline without a link', () => {
  it('shows what is on this computer when the unread rows are not', async () => {
    const api = new StandIn()
    const asked: string[] = []
    api.timelineView = (_account, topic, stretch) => {
      asked.push(stretch.at)
      const view = timeline({ topic, rows: stretch.at === 'unread' ? [] : rows(3), isCutOff: true, firstUnread: 90 })
      return Promise.resolve(view)
    }
    const state = new TimelineState(api, 'a', 't', () => undefined)
    await state.open()
    expect(asked).toEqual(['unread', 'end'])
    expect(state.view?.rows).toHaveLength(3)
  })

  it('does not call an unknown topic empty, and loads it when the link is back', async () => {
    const api = new StandIn()
    let isLinked = false
    api.timelineView = (_account, topic) =>
      Promise.resolve(timeline({ topic, rows: isLinked ? rows(3) : [], isCutOff: !isLinked }))
    const state = new TimelineState(api, 'a', 't', () => undefined)
    await state.open()
    expect(state.items.map((item) => item.kind)).toEqual([])
    isLinked = true
    await state.ask()
    expect(state.items.map((item) => item.kind)).toEqual(['start', 'message', 'message', 'message'])
    expect(state.aim, 'and still lands where it should').toEqual({ to: 'unread' })
  })
})
