// The direction of text that strangers wrote, where it stands inside other text.

/** What turns the direction of what follows: embeddings, overrides, isolates and their ends. */
const TURNS = /[\u202A-\u202E\u2066-\u2069]/g
/** Letters that run from right to left, and marks that make others do so. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08FF\u200F\uFB1D-\uFDFF\uFE70-\uFEFE\u202A-\u202E\u2066-\u2069\u{10800}-\u{10FFF}\u{1E800}-\u{1EFFF}]/u
const FIRST_STRONG_ISOLATE = '\u2068'
const POP_ISOLATE = '\u2069'

/** A text for where there is nothing but characters (a title, a sentence), so that it turns nothing around it. */
export function isolate(text: string): string {
  if (!RIGHT_TO_LEFT.test(text)) return text
  return `${FIRST_STRONG_ISOLATE}${withoutTurns(text)}${POP_ISOLATE}`
}

/** A text without the characters that turn the direction of what follows. */
export function withoutTurns(text: string): string {
  return text.replace(TURNS, '')
}

/** A catalogue whose sentences isolate what is put into them. */
export function isolating<T extends object>(words: T): T {
  const entries = Object.entries(words).map(([key, value]: [string, unknown]) => {
    if (typeof value === 'function')
      return [
        key,
        (...parts: unknown[]): unknown =>
          value(...parts.map((part) => (typeof part === 'string' ? isolate(part) : part))),
      ]
    return [key, typeof value === 'object' && value !== null ? isolating(value) : value]
  })
  return Object.fromEntries(entries) as T
}
