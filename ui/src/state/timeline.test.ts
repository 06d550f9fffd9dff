import { describe, expect, it, vi } from 'vitest'
import type { MessageView, TimelineView } from '../api'
import { StandIn } from '../testing/stand-in'
import { message, timeline } from '../testing/views'
import { PAGE, TimelineState } from './timeline.svelte'

const rows = (count: number) => Array.from({ length: count }, (_, i) => message(`m${i + 1}`, i + 1, `text ${i + 1}`))

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

  it('enters the topic with its first question, so that the divider is fixed and one answer is waited for', async () => {
    const state = make({ rows: rows(3) })
    await state.open()
    expect(api.calls).toEqual(['enterTopic unread'])
    expect(seqs(state)).toEqual([1, 2, 3])
    expect(state.aim).toEqual({ to: 'unread' })
    await state.ask()
    expect(api.calls).toEqual(['enterTopic unread', 'timelineView range'])
  })

  it('shows what it can of a topic that cannot be entered, and tries again', async () => {
    const state = make({ rows: rows(3) })
    const enter = api.enterTopic
    api.enterTopic = () => Promise.reject(new Error('no'))
    await state.open()
    expect(seqs(state)).toEqual([1, 2, 3])
    api.enterTopic = enter
    await state.ask()
    expect(api.calls.at(-1)).toBe('enterTopic range')
  })

  it('is left only when it was entered', async () => {
    const state = make({ rows: rows(3) })
    let enter: () => void = () => undefined
    const entered = new Promise<void>((resolve) => (enter = resolve))
    const { enterTopic } = api
    api.enterTopic = async (...of) => {
      await entered
      return enterTopic(...of)
    }
    const opened = state.open()
    state.leave()
    enter()
    await opened
    await vi.waitFor(() => expect(api.calls).toEqual(['enterTopic unread', 'leaveTopic']))
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
    const state = make({ rows: rows(20), readTo: 0 })
    await state.open()
    state.reading.saw(1, 20)
    state.leave()
    state.leave()
    expect(api.calls.filter((call) => call === 'leaveTopic')).toHaveLength(1)
    expect(api.actions).toEqual([{ type: 'advance', topic: 't', seq: 20 }])
  })

  it('says once that somebody saw a message which an edit made mention him', async () => {
    const state = make({ rows: rows(20), readTo: 20, newMentions: ['m3'] })
    await state.open()
    state.saw((state.view?.rows ?? []).slice(4))
    expect(api.actions, 'it was not on the screen').toEqual([])
    state.saw(state.view?.rows ?? [])
    state.saw(state.view?.rows ?? [])
    expect(api.actions).toEqual([{ type: 'seeMention', topic: 't', message: 'm3' }])
  })

  it('finds my last message that can be edited', async () => {
    const mine: Partial<MessageView> = { isMine: true, actions: ['edit'] }
    const state = make({ rows: [message('a', 1, 'x', mine), message('b', 2, 'y')] })
    await state.open()
    expect(state.lastEditable()?.id).toBe('a')
  })
})

describe('a timeline without a link', () => {
  it('shows what is on this computer when the unread rows are not', async () => {
    const api = new StandIn()
    const asked: string[] = []
    api.enterTopic = api.timelineView = (_account, topic, stretch) => {
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
    api.enterTopic = api.timelineView = (_account, topic) =>
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
