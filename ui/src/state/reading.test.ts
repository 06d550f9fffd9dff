import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AWAY_MS, Presence, followPage, isHere } from './presence.svelte'
import { Reading, isSeen } from './reading'
import { Reread } from './reread'

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

describe('somebody is there', () => {
  const scene = { isFocused: true, isVisible: true, isCovered: false, idle: AWAY_MS - 1 }
  it.each([
    ['with the keyboard in a window that can be seen, and a key within two minutes', {}, true],
    ['not without the keyboard', { isFocused: false }, false],
    ['not while the window is minimised', { isVisible: false }, false],
    ['not behind a dialog', { isCovered: true }, false],
    ['not two minutes after the last key', { idle: AWAY_MS }, false],
  ])('%s', (_when, more, is) => {
    expect(isHere({ ...scene, ...more })).toBe(is)
  })

  describe('by a clock that is wrong', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    it('not for longer when it is set back', () => {
      const presence = new Presence()
      presence.window(true, true)
      vi.setSystemTime(Date.now() - 60 * 60_000)
      vi.advanceTimersByTime(AWAY_MS)
      expect(presence.isHere, 'an empty chair').toBe(false)
      presence.input()
      expect(presence.isHere).toBe(true)
    })

    it('nor after the computer slept, in which the other clock stands still', () => {
      const presence = new Presence()
      presence.window(true, true)
      vi.setSystemTime(Date.now() + 60 * 60_000)
      expect(presence.isHere).toBe(false)
    })
  })

  it('who reads by a screen reader, whose keys the page does not get', () => {
    vi.useFakeTimers()
    const presence = new Presence()
    vi.spyOn(document, 'hasFocus').mockReturnValue(true)
    const end = followPage(presence)
    vi.advanceTimersByTime(AWAY_MS)
    expect(presence.isHere).toBe(false)
    const button = document.body.appendChild(document.createElement('button'))
    button.focus()
    expect(presence.isHere).toBe(true)
    button.remove()
    end()
    vi.restoreAllMocks()
    vi.useRealTimers()
  })

  describe('again', () => {
    beforeEach(() => void vi.useFakeTimers())
    afterEach(() => void vi.useRealTimers())

    function there(): Presence {
      const presence = new Presence()
      presence.window(true, true)
      expect(presence.isHere).toBe(true)
      return presence
    }

    it.each<[string, (presence: Presence) => void, (presence: Presence) => void]>([
      ['after another window', (one) => one.window(false, true), (one) => one.window(true, true)],
      ['after minimising', (one) => one.window(true, false), (one) => one.window(true, true)],
      ['after a dialog', (one) => one.cover(true), (one) => one.cover(false)],
      ['after an empty chair', () => vi.advanceTimersByTime(AWAY_MS), (one) => one.input()],
    ])('%s', (_what, go, come) => {
      const presence = there()
      const before = presence.returns
      go(presence)
      expect(presence.isHere).toBe(false)
      expect(presence.returns).toBe(before)
      come(presence)
      expect(presence.isHere).toBe(true)
      expect(presence.returns, 'once').toBe(before + 1)
    })

    it('while keys come, all the time', () => {
      const presence = there()
      const before = presence.returns
      for (let minute = 0; minute < 10; minute += 1) {
        vi.advanceTimersByTime(60_000)
        presence.input()
        expect(presence.isHere).toBe(true)
      }
      expect(presence.returns).toBe(before)
    })
  })
})

describe('a row is seen', () => {
  const view = { top: 100, bottom: 700 }
  it.each([
    ['when all of it is in view', { top: 120, bottom: 160 }, true],
    ['not while its end is below', { top: 680, bottom: 720 }, false],
    ['not when only its last pixels are left at the top', { top: -50, bottom: 110 }, false],
    ['when it is higher than the window and its end is in view', { top: -2000, bottom: 400 }, true],
    ['not when it is higher than the window and its end is not', { top: 110, bottom: 2000 }, false],
    ['when it is a line at the top', { top: 100, bottom: 118 }, true],
  ])('%s', (_when, row, is) => {
    expect(isSeen(row, view)).toBe(is)
  })
})

describe('reading', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  function begin(readTo = 0): { told: number[]; reading: Reading } {
    const told: number[] = []
    const reading = new Reading((seq) => told.push(seq))
    reading.readTo(readTo)
    return { told, reading }
  }

  it('tells at once, then at most once a second, the newest only', () => {
    const { told, reading } = begin()
    for (const seq of [3, 5, 4, 9]) reading.saw(1, seq)
    expect(told).toEqual([3])
    vi.advanceTimersByTime(1000)
    expect(told).toEqual([3, 9])
  })

  it('tells what is left on leaving', () => {
    const { told, reading } = begin()
    reading.saw(1, 3)
    reading.saw(4, 7)
    reading.leave()
    expect(told).toEqual([3, 7])
    vi.advanceTimersByTime(5000)
    expect(told, 'and nothing afterwards').toEqual([3, 7])
  })

  it('tells nothing after a message was marked unread', () => {
    const { told, reading } = begin()
    reading.hold()
    reading.saw(1, 8)
    reading.leave()
    expect(told).toEqual([])
  })

  it('reads through 500 as far as they were on the screen', () => {
    const { told, reading } = begin(100)
    for (let from = 90; from < 300; from += 15) reading.saw(from, from + 20)
    vi.advanceTimersByTime(1000)
    expect(told.at(-1)).toBe(90 + 15 * 13 + 20)
  })

  it('does not take for read what lies before the end that somebody jumped to', () => {
    const { told, reading } = begin(100)
    reading.saw(580, 600)
    reading.leave()
    expect(told).toEqual([])
  })

  it('joins what was seen there once what lies between was seen', () => {
    const { told, reading } = begin(100)
    reading.saw(130, 140)
    reading.saw(101, 115)
    reading.saw(116, 129)
    vi.advanceTimersByTime(1000)
    expect(told).toEqual([115, 140])
  })

  it('goes on from what another device read', () => {
    const { told, reading } = begin(100)
    reading.saw(130, 140)
    reading.readTo(129)
    expect(told).toEqual([140])
  })
})
