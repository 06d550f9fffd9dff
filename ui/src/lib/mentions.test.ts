import { describe, expect, it } from 'vitest'
import { bytesOf } from './bytes'
import called from './called.json'
import counted from './counted.json'
import {
  NOTHING,
  Steps,
  becameText,
  decode,
  edited,
  encode,
  joined,
  mentionBeforeCaret,
  named,
  replaced,
  trimmed,
} from './mentions'
import type { Written } from './mentions'

const ANN = 'AZig0AAAcACAAAAAAAAAAQ'
const BOB = 'AZig0AAAcACAAAAAAAAAAg'
const GROUP = '&AZig0AAAcACAAAAAAAAAAw'

const plain = (text: string): Written => ({ text, mentions: [] })

/** Picks somebody at the end of a text. */
function pick(written: Written, id: string, name: string): Written {
  const end = written.text.length
  const text = `@${name}`
  return replaced(written, end, end, { text, mentions: [{ start: 0, end: text.length, id }] })
}

/** What the input would report: the text with a stretch replaced, and the caret behind it. */
function type(written: Written, start: number, end: number, text: string): Written {
  return edited(written, written.text.slice(0, start) + text + written.text.slice(end), start + text.length)
}

describe('a mention that became text', () => {
  const called = pick(plain('问 '), ANN, 'Anna')
  const write = (start: number, end: number, put: string): string | null =>
    becameText(called, called.text.slice(0, start) + put + called.text.slice(end), start + put.length)

  it('is known by what is left of it', () => {
    expect(write(6, 7, ''), 'its last letter goes').toBe('@Anna')
    expect(write(5, 5, 'n'), 'an equal letter comes into it').toBe('@Anna')
    expect(write(4, 7, 'x'), 'half of it is replaced').toBe('@Anna')
  })

  it('is none where it is whole, or wholly gone', () => {
    expect(write(7, 7, '!')).toBeNull()
    expect(write(0, 1, '')).toBeNull()
    expect(write(2, 2, ' ')).toBeNull()
    expect(write(2, 7, '')).toBeNull()
    expect(write(0, 7, 'x')).toBeNull()
  })
})

describe('who was picked is called, whatever else has that name', () => {
  it('two of one name, each once', () => {
    const first = pick(plain('问 '), ANN, '小明')
    const both = pick(replaced(first, first.text.length, first.text.length, plain(' 和 ')), BOB, '小明')
    expect(both.text).toBe('问 @小明 和 @小明')
    expect(encode(both)).toBe(`问 <@${ANN}> 和 <@${BOB}>`)
  })

  it('a name that is written by hand is text, and so are addresses', () => {
    const called = pick(plain(''), ANN, 'example')
    const text = ' x@example.com git@example:repo @exampleology ＠example @example'
    expect(encode(type(called, called.text.length, called.text.length, text))).toBe(`<@${ANN}>${text}`)
  })

  it('a longer name that begins with a shorter one', () => {
    const anna = pick(plain('Ann, '), ANN, 'Anna')
    expect(encode(type(anna, anna.text.length, anna.text.length, ' and @Ann Lee'))).toBe(`Ann, <@${ANN}> and @Ann Lee`)
  })

  it('a mention as it is stored calls nobody when somebody writes it by hand, and is shown as it was written', () => {
    const written = plain(`so: <@everyone> and <@${ANN}>`)
    expect(encode(written)).toBe(`so: \\<@everyone> and \\<@${ANN}>`)
    expect(decode(encode(written), new Map()), 'and it is the same when it is edited').toEqual(written)
    expect(encode(plain('`<@everyone>`')), 'code calls nobody anyway').toBe('`<@everyone>`')
  })

  // The program reads the same file: what is sent here calls nobody there.
  it.each(called as [string, string][])('%j by hand calls nobody, and is the same when it is edited', (text, sent) => {
    expect(encode(plain(text))).toBe(sent)
    expect(encode(decode(sent, new Map())), 'an edit that changes nothing').toBe(sent)
  })

  it('behind a backslash nobody can be called, and the input shows that', () => {
    const ann = pick(plain('see '), ANN, 'Ann')
    const kept = type(ann, 4, 4, '\\')
    expect(kept.mentions, 'the dialect takes it for text').toEqual([])
    expect(encode(kept)).toBe('see \\@Ann')
    expect(mentionBeforeCaret(plain('C:\\@an'), 6), 'nobody is offered there').toBeNull()
  })
})

describe('a stored text', () => {
  it('shows names, keeps an id that nobody knows, and is the same again', () => {
    const stored = `<@${ANN}>: ask <@${BOB}>, <@${GROUP}> and <@everyone>, not <@nobody>`
    const names = new Map<string, string | null>([
      [ANN, 'Ann'],
      [BOB, null],
      [GROUP, 'Mods'],
      ['everyone', '所有人'],
    ])
    const written = decode(stored, names)
    expect(written.text).toBe('@Ann: ask @AZig0AAA, @Mods and @所有人, not <@nobody>')
    expect(encode(written)).toBe(stored)
    const known = named(written, new Map([[BOB, 'Bob B.']]))
    expect(known.text).toBe('@Ann: ask @Bob B., @Mods and @所有人, not <@nobody>')
    expect(encode(known)).toBe(stored)
  })

  it('is the same after the person was renamed', () => {
    const written = decode(`hi <@${ANN}>`, new Map([[ANN, 'Carol']]))
    const later = named(written, new Map([[ANN, 'Caroline']]))
    expect(encode(type(later, 0, 2, 'hello'))).toBe(`hello <@${ANN}>`)
  })
})

describe('a mention moves with what is written around it', () => {
  const ann = pick(plain('aa '), ANN, 'Ann')

  it.each([
    ['before it', type(ann, 0, 0, 'x'), `xaa <@${ANN}>`],
    ['the same letters before it', type(ann, 1, 1, 'a'), `aaa <@${ANN}>`],
    ['right before it', type(ann, 3, 3, '@'), `aa @<@${ANN}>`],
    ['right behind it', type(ann, 7, 7, 'n'), `aa <@${ANN}>n`],
    ['taken away before it', type(ann, 0, 3, ''), `<@${ANN}>`],
    ['dragged away before it, the caret elsewhere', edited(ann, '@Ann', 0), `<@${ANN}>`],
    ['an emoji for one that begins alike', type(type(ann, 7, 7, '😀'), 7, 9, '😁'), `aa <@${ANN}>😁`],
  ])('%s', (_where, written, stored) => {
    expect(encode(written)).toBe(stored)
  })

  it.each([
    ['a letter in it', type(ann, 5, 5, 'x'), 'aa @Axnn'],
    ['its last letter taken away', type(ann, 6, 7, ''), 'aa @An'],
    ['its @ taken away', type(ann, 3, 4, ''), 'aa Ann'],
    ['something over its start', type(ann, 2, 4, '-'), 'aa-Ann'],
    ['itself and more replaced', type(ann, 0, 7, 'x'), 'x'],
  ])('%s makes it text', (_what, written, text) => {
    expect(encode(written)).toBe(text)
    expect(written.mentions).toEqual([])
  })

  it('and is whole again when that is undone, and only then', () => {
    const steps = new Steps()
    const cut = type(ann, 6, 7, '')
    for (const step of [ann, cut]) steps.keep(step)
    expect(encode(steps.find(ann.text, 'undo') ?? NOTHING)).toBe(`aa <@${ANN}>`)
    expect(encode(type(cut, 6, 6, 'n')), 'written by hand it is text').toBe('aa @Ann')
  })

  it('and undoing and redoing call who stood there then, of two with one name', () => {
    const steps = new Steps()
    const [first, second] = [pick(plain(''), ANN, '小明'), pick(plain(''), BOB, '小明')]
    for (const step of [plain(''), first, plain(''), second]) steps.keep(step)
    const go = (text: string, way: 'undo' | 'redo') => encode(steps.find(text, way) ?? NOTHING)
    expect(go('', 'undo')).toBe('')
    expect(go('@小明', 'undo')).toBe(`<@${ANN}>`)
    expect(go('', 'redo')).toBe('')
    expect(go('@小明', 'redo')).toBe(`<@${BOB}>`)
  })

  it('through any writing around it, at random places', () => {
    let seed = 7
    const below = (end: number): number => (seed = (seed * 48_271) % 2_147_483_647) % end
    for (let round = 0; round < 300; round += 1) {
      let written = pick(pick(plain('@A n '), ANN, 'A n'), BOB, 'A n')
      for (let step = 0; step < 12; step += 1) {
        const [a, b] = written.mentions
        if (!a || !b) throw new Error('both are there')
        // Before the first, between the two, or behind the second.
        const room = [
          [0, a.start],
          [a.end, b.start],
          [b.end, written.text.length],
        ][below(3)] as [number, number]
        const start = room[0] + below(room[1] - room[0] + 1)
        const end = start + below(room[1] - start + 1)
        written = type(written, start, end, ['', 'n', '@', ' A n', '界'][below(5)] ?? '')
        const stored = encode(written)
        expect([stored.indexOf(ANN) > 0, stored.indexOf(BOB) > stored.indexOf(ANN)], stored).toEqual([true, true])
        for (const one of written.mentions) expect(written.text.slice(one.start, one.end)).toBe('@A n')
      }
    }
  })
})

describe('a text', () => {
  it('ends where it is sent, and keeps the indentation of its first line', () => {
    expect(trimmed(pick(plain('  x '), ANN, 'Ann')).mentions).toHaveLength(1)
    expect(trimmed(plain('    indented \n\n')).text).toBe('    indented')
  })

  it('stands above another with its mentions', () => {
    expect(encode(joined(pick(plain(''), ANN, 'Ann'), pick(plain('and '), BOB, 'Bob')))).toBe(
      `<@${ANN}>\nand <@${BOB}>`,
    )
  })

  it.each(counted as [string, number][])('%j is counted as the program counts it', (text, bytes) => {
    expect(bytesOf(text)).toBe(bytes)
  })
})

describe('somebody is being looked for', () => {
  const at = (text: string, caret = text.length) => mentionBeforeCaret(plain(text), caret)

  it('behind an @ at the start of a word', () => {
    expect(at('hello @an')).toEqual({ start: 6, prefix: 'an' })
    expect(at('@')).toEqual({ start: 0, prefix: '' })
    expect(at('你好@林'), 'Chinese is written without spaces').toEqual({ start: 2, prefix: '林' })
    expect(at('mail@example'), 'an address').toBeNull()
    expect(at('@ann ')).toBeNull()
  })

  it('but not in a mention that is there', () => {
    const ann = pick(plain('hi '), ANN, 'Ann')
    expect(mentionBeforeCaret(ann, 5)).toBeNull()
    expect(mentionBeforeCaret(ann, ann.text.length)).toBeNull()
  })
})
