import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { MessageView } from '../api'
import { i18n } from '../i18n.svelte'
import { message, timeline } from '../testing/views'
import { Hearing } from './hearing.svelte'

const rejection = { code: 'muted', permission: null, limit: null, retryAfterS: null }
const rows = (to: number, text = 'x'): MessageView[] =>
  Array.from({ length: to }, (_, at) => message(`m${at + 1}`, at + 1, `${text}${at + 1}`))

describe('what is heard of a topic', () => {
  let hearing: Hearing
  let said: string[] = []
  const take = (shown: MessageView[], more: object = {}): void => {
    const before = hearing.said.count
    hearing.take(timeline({ rows: shown, head: shown.at(-1)?.seq ?? 0, ...more }))
    if (hearing.said.count !== before) said.push(hearing.said.text)
  }
  const wait = (ms: number): void => {
    const before = hearing.said.count
    vi.advanceTimersByTime(ms)
    if (hearing.said.count !== before) said.push(hearing.said.text)
  }

  beforeEach(() => {
    i18n.locale = 'en'
    vi.useFakeTimers()
    hearing = new Hearing()
    said = []
  })
  afterEach(() => {
    hearing.leave()
    vi.useRealTimers()
  })

  it('is no history: neither what was there nor what is loaded above it', () => {
    take(rows(30).slice(20))
    take(rows(30))
    expect(said).toEqual([])
  })

  it('is one sentence for each message while it is quiet', () => {
    take(rows(1))
    take(rows(2))
    wait(5_000)
    take(rows(3))
    expect(said).toEqual(['林间鹿: x2', '林间鹿: x3'])
  })

  it('is a number when it is busy', () => {
    take(rows(1))
    for (let to = 2; to <= 14; to += 1) take(rows(to))
    wait(2_000)
    expect(said).toEqual(['林间鹿: x2', '12 new messages'])
    wait(10_000)
    expect(said).toHaveLength(2)
  })

  it('is a number, too, for what comes while older rows are read', () => {
    take(rows(5), { hasAfter: true, head: 20 })
    take(rows(5), { hasAfter: true, head: 23 })
    expect(said).toEqual(['3 new messages'])
  })

  it('is not what I wrote, but that it was refused, or sent after waiting', () => {
    take(rows(1))
    const mine = (delivery: MessageView['delivery'], seq: number | null = null): MessageView =>
      message('mine', seq, 'hello', { isMine: true, delivery })
    take(rows(1), { pending: [mine({ state: 'sending' })] })
    take(rows(1), { pending: [mine({ state: 'waiting', until: 9 })] })
    take([...rows(1), mine({ state: 'sent' }, 2)])
    expect(said).toEqual(['Sending later…', 'Sent'])
    take(rows(1), { pending: [message('other', null, '', { isMine: true, delivery: { state: 'sending' } })] })
    take(rows(1), { pending: [message('other', null, '', { isMine: true, delivery: { state: 'failed', rejection } })] })
    expect(said.at(-1)).toBe(`Not sent: ${i18n.t.errors.muted}`)
  })

  it('is a recall, and never what a spoiler hides', () => {
    take(rows(2))
    take([...rows(1), message('m2', 2, '', { recalled: { by: '林间鹿', isByAuthor: true } })])
    expect(said).toEqual(['林间鹿 recalled a message'])
    const hidden = message('m3', 3, '', {
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            { type: 'text', text: 'It is ' },
            { type: 'spoiler', inlines: [{ type: 'text', text: 'the butler' }] },
          ],
        },
      ],
    })
    take([...rows(2), hidden])
    expect(said.at(-1)).toBe('林间鹿: It is Show hidden text')
  })
})
