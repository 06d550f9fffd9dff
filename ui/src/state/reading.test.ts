import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Reading } from './reading'
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
