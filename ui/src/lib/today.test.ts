import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { i18n } from '../i18n.svelte'
import { today } from './today.svelte'

describe('the day', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: new Date(2026, 10, 30, 23, 59, 50) })
    today.look()
  })
  afterEach(() => {
    vi.useRealTimers()
    today.look()
  })

  it.each([
    ['en', 'Today', 'Yesterday', 'Saturday 28 November'],
    ['zh-CN', '今天', '昨天', '11月28日星期六'],
  ] as const)('has a word of its own when it is near, in %s', (locale, now, before, earlier) => {
    i18n.locale = locale
    expect(i18n.day(new Date(2026, 10, 30, 0, 0, 1).getTime())).toBe(now)
    expect(i18n.day(new Date(2026, 10, 29, 23, 59).getTime())).toBe(before)
    expect(i18n.day(new Date(2026, 10, 28, 12).getTime())).toBe(earlier)
  })

  it('changes at midnight without a click, also when the computer slept through it', () => {
    i18n.locale = 'en'
    const written = new Date(2026, 10, 30, 20).getTime()
    expect(i18n.day(written)).toBe('Today')
    vi.setSystemTime(new Date(2026, 11, 1, 0, 0, 1))
    dispatchEvent(new Event('focus'))
    expect(i18n.day(written)).toBe('Yesterday')
  })

  it('is counted by midnights, not by hours: the day a clock is changed has 23 or 25', () => {
    expect(today.daysSince(new Date(2026, 2, 28, 23, 59).getTime())).toBe(247)
    expect(i18n.since(new Date(2026, 10, 30, 1).getTime())).toBe('today')
  })
})

describe('sentences', () => {
  it('have a blank between them, and none behind punctuation that brings its own', () => {
    expect(i18n.sentences('磁盘快满了。', '剩余 3 GB。')).toBe('磁盘快满了。剩余 3 GB。')
    expect(i18n.sentences('The disk is nearly full.', '', '3 GB free.')).toBe('The disk is nearly full. 3 GB free.')
  })
})
