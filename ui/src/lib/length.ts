// How long a name or an introduction is: counted as the client and the server count it (`protocol::text`).

/** Grapheme clusters and bytes; see `protocol::limits`. */
export const LIMITS = {
  name: { characters: 60, bytes: 240 },
  introduction: { characters: 1000, bytes: 4000 },
} as const

export type Kind = keyof typeof LIMITS

export type Length = {
  /** As it will be sent. */
  text: string
  characters: number
  bytes: number
  /** Something was typed, and nothing of it can be seen. */
  isUnseen: boolean
  /** Characters that may still be typed: none when the bytes are used up. */
  left: number
  /** By how much of what it is too long. */
  over: { of: 'characters' | 'bytes'; by: number } | null
}

/** Every web view that Tulou runs in has one. */
const segmenter = new Intl.Segmenter(undefined, { granularity: 'grapheme' })
const encoder = new TextEncoder()

const CONTROLS = /[\p{Cc}\p{Noncharacter_Code_Point}]/gu
const BLANKS = /[\p{White_Space}\u2800\u{1D159}]+/gu
/** Not drawn; joiners, selectors and tags may be part of what is. */
const HIDDEN =
  /(?!\u200C|\u200D|[\u180B-\u180F]|[\uFE00-\uFE0F]|[\u{E0020}-\u{E007F}]|[\u{E0100}-\u{E01EF}])\p{DI}|[\uFFF9-\uFFFC]/gu
const TOWERS = /((?!\p{DI})[\p{Mn}\p{Me}]){5,}/gu
const UNSEEN = /^[\p{DI}\p{White_Space}\p{Cc}\p{Mn}\p{Me}\p{Noncharacter_Code_Point}\u2800\u{1D159}\uFFF9-\uFFFC]*$/u

/** A name as the client will send it. */
export function cleanName(typed: string): string {
  if (UNSEEN.test(typed)) return ''
  const line = typed.replace(BLANKS, ' ').replace(CONTROLS, '').normalize('NFC').replace(HIDDEN, '')
  const marked = line.normalize('NFC').replace(TOWERS, (tower) => [...tower].slice(0, 4).join(''))
  return marked.replace(BLANKS, ' ').trim()
}

function cleanText(typed: string): string {
  return UNSEEN.test(typed) ? '' : typed.replace(/\r\n?/g, '\n').normalize('NFC').trimEnd()
}

export function charactersOf(text: string): number {
  return [...segmenter.segment(text)].length
}

export function bytesOf(text: string): number {
  return encoder.encode(text).length
}

/** What there is to say about the length of what was typed. */
export function lengthOf(typed: string, kind: Kind = 'name'): Length {
  const text = kind === 'name' ? cleanName(typed) : cleanText(typed)
  const most = LIMITS[kind]
  const characters = charactersOf(text)
  const bytes = bytesOf(text)
  const tooMany = characters - most.characters
  const tooHeavy = bytes - most.bytes
  return {
    text,
    characters,
    bytes,
    isUnseen: typed.trim() !== '' && text === '',
    left: tooHeavy >= 0 ? 0 : Math.max(0, -tooMany),
    over: tooMany > 0 ? { of: 'characters', by: tooMany } : tooHeavy > 0 ? { of: 'bytes', by: tooHeavy } : null,
  }
}

/** Whether a name can be sent: something is seen of it, and it is not too long. */
export function isName(typed: string): boolean {
  const { text, over } = lengthOf(typed)
  return text !== '' && over === null
}

/** Whether what was typed has to be mended first; an empty field has its own words. */
export function isWrong(typed: string, kind: Kind = 'name'): boolean {
  const { over, isUnseen } = lengthOf(typed, kind)
  return over !== null || isUnseen
}

/** Whether an introduction can be sent; it may be empty. */
export function isIntroduction(typed: string): boolean {
  return lengthOf(typed, 'introduction').over === null
}
