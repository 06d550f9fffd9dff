import { describe, expect, it } from 'vitest'
import { isolate, isolating, withoutTurns } from './isolate'

describe('a name inside a sentence', () => {
  it('is isolated when it runs from right to left, and as it is otherwise', () => {
    expect(isolate('וקאר')).toBe('\u2068וקאר\u2069')
    expect(isolate('Ann')).toBe('Ann')
    expect(isolate('小明')).toBe('小明')
  })

  it('turns nothing behind it, whatever it holds', () => {
    expect(isolate('Bob\u202Egnp.ecila')).toBe('\u2068Bobgnp.ecila\u2069')
    expect(isolate('\u2067Bob')).toBe('\u2068Bob\u2069')
    expect(withoutTurns('\u2067Bob\u2069\u202E')).toBe('Bob')
  })

  it('is isolated in every sentence of a catalogue', () => {
    const words = isolating({ sure: { kick: (name: string, n: number) => `Remove ${name}? ${n}` }, ok: 'OK' })
    expect(words.sure.kick('\u202Eeve', 2)).toBe('Remove \u2068eve\u2069? 2')
    expect(words.ok).toBe('OK')
  })
})
