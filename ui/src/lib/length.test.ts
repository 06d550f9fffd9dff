import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bytesOf, charactersOf, cleanName, isIntroduction, isName, lengthOf, LIMITS } from './length'

type Case = { typed: string; name: string; characters: number; bytes: number }
const read = (file: string): string =>
  readFileSync(`${import.meta.dirname}/../../../crates/protocol/src/${file}`, 'utf8')

describe('what is typed into a field for a name', () => {
  it('is cleaned and counted as in the client and the server', () => {
    const cases = JSON.parse(read('text/counted.json')) as Case[]
    for (const { typed, name, characters, bytes } of cases) {
      expect(cleanName(typed), JSON.stringify(typed)).toBe(name)
      expect([charactersOf(name), bytesOf(name)], JSON.stringify(typed)).toEqual([characters, bytes])
    }
  })

  it('has the limits of the protocol', () => {
    const limits = read('limits.rs').replaceAll('_', '')
    for (const [kind, { characters, bytes }] of Object.entries(LIMITS)) {
      expect(limits).toContain(`${kind.toUpperCase()}CHARACTERS: usize = ${characters};`)
      expect(limits).toContain(`${kind.toUpperCase()}BYTES: usize = ${bytes};`)
    }
  })

  it('may be sixty characters of any script, and says by how much it is too long', () => {
    expect(isName('名'.repeat(60))).toBe(true)
    expect(lengthOf('名'.repeat(62)).over).toEqual({ of: 'characters', by: 2 })
    expect(isName('👨‍👩‍👧‍👦'.repeat(9))).toBe(true)
    expect(lengthOf('👨‍👩‍👧‍👦'.repeat(10)).over).toEqual({ of: 'bytes', by: 10 })
    expect(lengthOf('名'.repeat(55)).left).toBe(5)
    expect(isIntroduction('字'.repeat(1000))).toBe(true)
    expect(lengthOf('字'.repeat(1001), 'introduction').over).toEqual({ of: 'characters', by: 1 })
  })

  it('is nothing when nothing of it can be seen', () => {
    for (const typed of ['\u200B', '\u3164', '\u200D\u200D', '\uFE0F', '\u202E', '\u0301', '\u{E0020}']) {
      expect(lengthOf(typed).isUnseen, JSON.stringify(typed)).toBe(true)
      expect(isName(typed)).toBe(false)
    }
    expect(lengthOf('  ').isUnseen, 'only blanks: the field is empty').toBe(false)
    expect(isIntroduction('\u200B'), 'an introduction may be empty').toBe(true)
  })
})
