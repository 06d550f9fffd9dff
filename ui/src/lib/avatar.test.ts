import { describe, expect, it } from 'vitest'
import { COLOURS, initialOf, lookOf, tileLetters } from './avatar'

describe('what stands for a person without a picture', () => {
  it('is the first letter of the name', () => {
    expect(initialOf('林间鹿')).toBe('林')
    expect(initialOf('rust 中文')).toBe('R')
    expect(initialOf('👩‍🚀 crew')).toBe('👩‍🚀')
    expect(initialOf('「林」')).toBe('林')
    expect(initialOf('[GM] Kestrel')).toBe('G')
  })

  it('is never nothing, whatever the name is made of', () => {
    for (const name of ['', '  ', '\u200b\u200d', '\u3164\u115f', '\u2800', '\u00ad\u2060', '\u0301', '\u202e'])
      expect(initialOf(name), JSON.stringify(name)).toBe('?')
    expect(initialOf('\u200b\u3164Ann')).toBe('A')
    expect(initialOf('!!!')).toBe('!')
  })

  it('stays in its square, however many marks are stacked on it', () => {
    expect([...initialOf(`Z${'\u0301'.repeat(40)}algo`)].length).toBeLessThanOrEqual(3)
  })

  it('differs for almost every two ids, and is the same for one', () => {
    const looks = Array.from({ length: 300 }, (_, n) => lookOf(`id${n}`))
    const kinds = new Set(looks.map(({ colour, isSplit }) => `${colour} ${isSplit}`))
    expect(kinds.size).toBe(COLOURS * 2)
    expect(Math.min(...looks.map((look) => look.colour))).toBe(1)
    expect(Math.max(...looks.map((look) => look.colour))).toBe(COLOURS)
    expect(lookOf('same')).toEqual(lookOf('same'))
  })
})

describe('tiles of communities', () => {
  it('have two letters', () => {
    expect(tileLetters(['星海', 'rust 中文', 'A', '🎲 Games', ''])).toEqual(['星海', 'Ru', 'A', '🎲', '?'])
  })

  it('are told apart where the first letters are the same', () => {
    expect(tileLetters(['星海玩家', '星海读书', '星空'])).toEqual(['星玩', '星读', '星空'])
    expect(new Set(tileLetters(['Rust', 'Ruby', 'Runes'])).size).toBe(3)
  })

  it('of one name have the same letters', () => {
    expect(tileLetters(['星海', '星海'])).toEqual(['星海', '星海'])
  })
})
