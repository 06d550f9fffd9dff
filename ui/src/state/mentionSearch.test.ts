import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Mentionable } from '../components/mentionable'
import { MentionSearch } from './mentionSearch.svelte'

const person = (id: string, name: string): Mentionable => ({ id, name, accountName: id })

describe('looking for somebody to mention', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  it('asks once for a word that is typed quickly', async () => {
    const find = vi.fn(() => Promise.resolve([person('ann', 'Ann')]))
    const search = new MentionSearch(find)
    for (const prefix of ['', 'a', 'an']) search.look({ start: 0, prefix })
    await vi.advanceTimersByTimeAsync(200)
    expect(find).toHaveBeenCalledExactlyOnceWith('an')
    expect(search.isOpen).toBe(true)
  })

  it('drops an answer that was overtaken', async () => {
    const answers = new Map<string, (found: Mentionable[]) => void>()
    const search = new MentionSearch((prefix) => new Promise((resolve) => answers.set(prefix, resolve)))
    search.look({ start: 0, prefix: 'a' })
    await vi.advanceTimersByTimeAsync(200)
    search.look({ start: 0, prefix: 'ab' })
    await vi.advanceTimersByTimeAsync(200)
    answers.get('ab')?.([person('abe', 'Abe')])
    answers.get('a')?.([person('ann', 'Ann')])
    await vi.advanceTimersByTimeAsync(0)
    expect(search.found.map((one) => one.id)).toEqual(['abe'])
  })

  it('offers nobody who cannot be meant any more while the answer is on its way', async () => {
    const search = new MentionSearch(() => Promise.resolve([person('ann', 'Ann'), person('abe', 'Abe')]))
    search.look({ start: 0, prefix: 'a' })
    await vi.advanceTimersByTimeAsync(200)
    search.look({ start: 0, prefix: 'ab' })
    expect(search.found.map((one) => one.id)).toEqual(['abe'])
  })

  it('brings nothing back after it was closed', async () => {
    let answer: ((found: Mentionable[]) => void) | undefined
    const search = new MentionSearch(() => new Promise((resolve) => (answer = resolve)))
    search.look({ start: 0, prefix: 'a' })
    await vi.advanceTimersByTimeAsync(200)
    search.close()
    answer?.([person('ann', 'Ann')])
    await vi.advanceTimersByTimeAsync(0)
    expect(search.isOpen).toBe(false)
  })
})
