import { undoOf } from './undo'
import { describe, expect, it, vi } from 'vitest'
import { message, timeline, topic, tree } from '../testing/views'
import { proposedAccountName } from './accountName'
import { bytesOf } from './bytes'
import { ComposingKeys } from './composing'
import { groupDrop, topicDrop } from './drag'
import { groupMove, groupStep, topicMove, topicStep } from './order'
import { Heights, survivor } from './lines'
import { itemsOf, type Item } from './rows'
import { fit } from './search'
import { neighbour } from './topics'

const group = (id: string, ...topics: string[]) => ({
  id,
  name: id,
  badge: { unread: 0, mentions: 0, hasDot: false },
  permissions: [],
  isPending: false,
  topics: topics.map((name) => topic(name, name)),
})
const house = tree({ groups: [group('a', 'a1', 'a2'), group('b', 'b1'), group('c')] })

describe('a key that undoes', () => {
  const key = (key: string, more: KeyboardEventInit = {}) =>
    undoOf(new KeyboardEvent('keydown', { key, ctrlKey: true, ...more }))

  it('is Ctrl+Z, and by its place where the layout has other letters', () => {
    expect([key('z'), key('я', { code: 'KeyZ' }), key('z', { ctrlKey: false, metaKey: true })]).toEqual(
      Array(3).fill('undo'),
    )
    expect([key('Z', { shiftKey: true }), key('y')]).toEqual(['redo', 'redo'])
    expect([key('z', { ctrlKey: false }), key('z', { altKey: true }), key('x')]).toEqual([null, null, null])
    expect(key('y', { code: 'KeyZ' }), 'on a German keyboard').toBe('redo')
    expect(key(';', { code: 'KeyZ' }), 'on a Dvorak keyboard, which has its Z elsewhere').toBeNull()
    expect(key('ㄈ', { code: 'KeyZ' }), 'Zhuyin').toBe('undo')
  })
})

describe('the lines of a timeline', () => {
  const view = (from: number, to: number, more = {}) =>
    timeline({
      rows: Array.from({ length: to - from + 1 }, (_, i) => message(`m${from + i}`, from + i, 'text')),
      hasBefore: from > 1,
      ...more,
    })
  const keys = (items: readonly Item[]): string[] => items.map((item) => item.key)

  it('hide the first row while more can come before it, so that nothing above a shown row ever changes', () => {
    const before = itemsOf(view(10, 14))
    const after = itemsOf(view(5, 14))
    expect(keys(before)).toEqual(['m11', 'm12', 'm13', 'm14'])
    for (const item of before) expect(after.find((other) => other.key === item.key)).toEqual(item)
  })

  it('show every row when nothing can be fetched', () => {
    expect(keys(itemsOf(view(10, 11, { isCutOff: true })))).toEqual(['m10', 'm11'])
  })

  it('begin with the start of the topic', () => {
    expect(itemsOf(view(1, 2))[0]?.kind).toBe('start')
  })

  it('never put a day twice, nor an earlier day below a later one, when the server’s clock went back', () => {
    const noon = new Date(2026, 10, 22, 12).getTime()
    const day = 86_400_000
    const rows = [noon, noon + day, noon, noon + day, noon + 2 * day].map((sentAt, at) =>
      message(`m${at}`, at + 1, '', { sentAt }),
    )
    const days = itemsOf(timeline({ rows })).flatMap((item) => (item.kind === 'message' ? [item.day] : []))
    expect(days.map((one) => one !== null)).toEqual([true, true, false, false, true])
    const shown = days.filter((one) => one !== null)
    expect(shown).toEqual([...shown].sort((one, other) => one - other))
  })

  it('are the same objects while they say the same: a reaction draws one row anew, not two hundred', () => {
    const rows = Array.from({ length: 200 }, (_, at) => message(`m${at}`, at + 1, `line ${at}`))
    const before = itemsOf(timeline({ rows }))
    const heard = structuredClone(rows)
    heard[70]?.reactions.push({ key: '🔥', count: 1, isMine: false })
    const after = itemsOf(timeline({ rows: heard }), before)
    expect(after.flatMap((item, at) => (item === before[at] ? [] : [item.key]))).toEqual(['m70'])
  })

  it('of two people of one name are never joined', () => {
    const rows = [
      message('a', 1, '', { author: { id: 'bob', name: '小明', tag: null } }),
      message('b', 2, '', { author: { id: 'carol', name: '小明', tag: null } }),
      message('c', 3, '', { author: { id: 'carol', name: '小明', tag: null } }),
    ]
    const items = itemsOf(timeline({ rows })).filter((item) => item.kind === 'message')
    expect(items.map((item) => item.isTight)).toEqual([false, false, true])
  })

  it('put one author’s rows close together for five minutes, not over a day or a divider', () => {
    const day = new Date(2026, 10, 22, 23, 58).getTime()
    const rows = [
      message('a', 1, '', { sentAt: day }),
      message('b', 2, '', { sentAt: day + 60_000 }),
      message('c', 3, '', { sentAt: day + 180_000 }),
      message('d', 4, '', { sentAt: day + 240_000 }),
      message('e', 5, '', { sentAt: day + 900_000 }),
      message('f', 6, '', { sentAt: day + 901_000, author: { id: 'x', name: 'X', tag: null } }),
    ]
    const items = itemsOf(timeline({ rows, firstUnread: 4 })).filter((item) => item.kind === 'message')
    expect(items.map((item) => item.isTight)).toEqual([false, true, false, false, false, false])
    expect(items.map((item) => item.day !== null)).toEqual([true, false, true, false, false, false])
    expect(items.map((item) => item.isFirstUnread)).toEqual([false, false, false, true, false, false])
  })

  it('show a message once while it turns from pending to sent', () => {
    const both = itemsOf(timeline({ rows: [message('m1', 1, 'x')], pending: [message('m1', null, 'x')] }))
    expect(keys(both)).toEqual(['start', 'm1'])
  })
})

describe('lines of which most are not in the page', () => {
  const keys = Array.from({ length: 100 }, (_, n) => `k${n}`)
  const measured = (px: (n: number) => number): Heights => {
    const heights = new Heights()
    keys.forEach((key, n) => heights.set(key, px(n)))
    return heights
  }

  it('are those around the one that is held, by their heights', () => {
    const heights = measured((n) => (n % 2 === 0 ? 20 : 60))
    expect(heights.around(keys, 50, 100, 100)).toEqual({ from: 47, to: 53 })
    expect(heights.around(keys, 0, 1_000, 40), 'nothing is before the first').toEqual({ from: 0, to: 2 })
    expect(heights.around(keys, 100, 80, 1_000), 'nothing is behind the last').toEqual({ from: 98, to: 100 })
    expect(heights.sum(keys, { from: 10, to: 14 })).toBe(160)
  })

  it('are found by their distance from the top', () => {
    const heights = measured(() => 50)
    expect(heights.lineAt(keys, 0)).toEqual({ index: 0, top: 0 })
    expect(heights.lineAt(keys, 149)).toEqual({ index: 2, top: 100 })
    expect(heights.lineAt(keys, 150)).toEqual({ index: 3, top: 150 })
    expect(heights.lineAt(keys, 99_999), 'beyond the end').toEqual({ index: 99, top: 4_950 })
  })

  it('are as high as the others until they are measured', () => {
    const heights = new Heights()
    const guess = heights.of('k0')
    expect(guess).toBeGreaterThan(0)
    for (let n = 0; n < 10; n += 1) heights.set(`k${n}`, 100)
    heights.set('k0', 100)
    expect(heights.of('k50')).toBe(100)
    heights.keep(['k1'])
    expect(heights.of('k50'), 'what is gone has no say').toBe(guess)
  })

  it('hand over to the next in view when the one that is held is gone', () => {
    const seen = [{ key: 'a' }, { key: 'b' }, { key: 'c' }]
    expect(survivor(seen, ['b', 'c'])).toEqual({ key: 'b' })
    expect(survivor(seen, ['x'])).toBeUndefined()
  })
})

describe('moving in the tree', () => {
  it('steps within a group and over its edges', () => {
    expect(topicStep(house, 'a1', 1)).toEqual({ kind: 'topic', group: 'a', after: 'a2' })
    expect(topicStep(house, 'a2', -1)).toEqual({ kind: 'topic', group: 'a', after: null })
    expect(topicStep(house, 'a2', 1)).toEqual({ kind: 'topic', group: 'b', after: null })
    expect(topicStep(house, 'b1', -1)).toEqual({ kind: 'topic', group: 'a', after: 'a2' })
    expect(topicStep(house, 'b1', 1)).toEqual({ kind: 'topic', group: 'c', after: null })
    expect(topicStep(house, 'a1', -1), 'nowhere to go').toBeNull()
    expect(groupStep(house.groups, 'b', -1)).toEqual({ kind: 'group', after: null })
    expect(groupStep(house.groups, 'b', 1)).toEqual({ kind: 'group', after: 'c' })
    expect(groupStep(house.groups, 'c', 1)).toBeNull()
  })

  it('asks for nothing when a thing is dropped where it is', () => {
    expect(topicMove(house, 'a2', { kind: 'topic', group: 'a', after: 'a1' })).toBeNull()
    expect(topicMove(house, 'a2', { kind: 'topic', group: 'a', after: 'a2' })).toBeNull()
    expect(groupMove(house, 'b', { kind: 'group', after: 'a' })).toBeNull()
    expect(topicMove(house, 'a2', { kind: 'topic', group: 'b', after: 'b1' })).toEqual({
      type: 'moveTopic',
      community: 'c1',
      topic: 'a2',
      group: 'b',
      after: 'b1',
    })
  })

  it('drops into the nearest gap', () => {
    const line = (kind: 'topic' | 'group', id: string, n: number) => ({ kind, id, top: n * 30, bottom: n * 30 + 30 })
    const lines = [line('group', 'a', 0), line('topic', 'a1', 1), line('topic', 'a2', 2), line('group', 'b', 3)]
    expect(topicDrop(house.groups, lines, 32)?.gap).toEqual({ kind: 'topic', group: 'a', after: null })
    expect(topicDrop(house.groups, lines, 88)?.gap).toEqual({ kind: 'topic', group: 'a', after: 'a2' })
    expect(groupDrop(house.groups, 'c', lines, 5)?.gap).toEqual({ kind: 'group', after: null })
    expect(groupDrop(house.groups, 'c', lines, 95)?.gap).toEqual({ kind: 'group', after: 'a' })
  })

  it('drops a group into gaps that are in view, wherever the tree is scrolled to', () => {
    const line = (kind: 'topic' | 'group', id: string, n: number) => ({ kind, id, top: n * 30, bottom: n * 30 + 30 })
    const middle = [line('topic', 'a2', 0), line('group', 'b', 1), line('topic', 'b1', 2)]
    expect(groupDrop(house.groups, 'c', middle, 0)?.gap).toEqual({ kind: 'group', after: 'a' })
    expect(groupDrop(house.groups, 'c', middle, 90)?.gap, 'the end of the tree is elsewhere').toEqual({
      kind: 'group',
      after: 'a',
    })
    const end = [line('topic', 'b1', 0), line('group', 'c', 1)]
    expect(groupDrop(house.groups, 'c', end, 60)?.gap).toEqual({ kind: 'group', after: 'c' })
    expect(groupDrop(house.groups, 'c', [line('topic', 'a1', 0)], 0), 'no gap is in view').toBeNull()
  })

  it('goes round from topic to topic, past locked and read ones', () => {
    const unread = { unread: 1, mentions: 0, hasDot: false }
    const places = tree({
      groups: [
        {
          ...group('a'),
          topics: [topic('x', 'x'), topic('y', 'y', { isLocked: true }), topic('z', 'z', { badge: unread })],
        },
      ],
    })
    expect(neighbour(places, 'x', 1, false)?.id).toBe('z')
    expect(neighbour(places, 'z', 1, false)?.id).toBe('x')
    expect(neighbour(places, 'x', -1, true)?.id).toBe('z')
    expect(neighbour(places, 'z', 1, true)).toBeUndefined()
    expect(neighbour(places, null, 1, false)?.id).toBe('x')
  })
})

describe('keys', () => {
  const key = (name: string, more: KeyboardEventInit = {}) => new KeyboardEvent('keydown', { key: name, ...more })

  it('of an input method are left to it', () => {
    vi.useFakeTimers()
    const keys = new ComposingKeys()
    expect(keys.owns(key('Enter'))).toBe(false)
    expect(keys.owns(key('Enter', { isComposing: true }))).toBe(true)
    expect(keys.owns(key('Enter', { keyCode: 229 }))).toBe(true)
    keys.start()
    expect(keys.owns(key('Enter'))).toBe(true)
    keys.end()
    expect(keys.owns(key('Enter')), 'the Enter that ended the composition').toBe(true)
    expect(keys.owns(key('a'))).toBe(false)
    vi.runAllTimers()
    expect(keys.owns(key('Enter')), 'the next Enter sends').toBe(false)
    vi.useRealTimers()
  })
})

describe('small things', () => {
  it('account names are proposed from what can stand in one', () => {
    expect(proposedAccountName('Zoë  Müller!')).toBe('zoe-muller')
    expect(proposedAccountName('林间鹿')).toBe('')
  })

  it('bytes are those of UTF-8', () => {
    expect(bytesOf('a林👍')).toBe(8)
  })

  it('names fit by start, part, then letters in order', () => {
    expect(fit('looking-for-group', 'look')).toBe(0)
    expect(fit('looking-for-group', 'group')).toBe(1)
    expect(fit('looking-for-group', 'lfg')).toBe(2)
    expect(fit('looking-for-group', 'xyz')).toBeNull()
    expect(fit('招募队友', '队友')).toBe(1)
  })
})
