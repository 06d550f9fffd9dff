/** How many avatar colours there are (`--av-1` … in `app.css`). */
export const COLOURS = 12

/** Making one takes far longer than using it. */
const segmenter = new Intl.Segmenter()

/** What stands for a person or community without a picture: always the same for the same id. */
export type Look = {
  /** From 1 to {@link COLOURS}. */
  colour: number
  /** Its lower half is darker, so that two of one name and one colour still differ more often than not. */
  isSplit: boolean
}

export function lookOf(id: string): Look {
  let hash = 2166136261
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  const look = ((hash ^ (hash >>> 16)) >>> 0) % (COLOURS * 2)
  return { colour: (look % COLOURS) + 1, isSplit: look >= COLOURS }
}

/** The same as classes of `app.css`. */
export function lookClass(id: string): string {
  const { colour, isSplit } = lookOf(id)
  return isSplit ? `hue-${colour} split` : `hue-${colour}`
}

const LETTER = /[\p{L}\p{N}\p{Emoji_Presentation}\p{Extended_Pictographic}]/u
/** Blanks that their properties call letters or symbols. */
const SEEN = /[^\p{C}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/u

/** What of a name shows something, a character as a person counts them: first what begins with its first letter. */
function shownOf(name: string): string[] {
  const shown = [...segmenter.segment(name)]
    .map((part) => part.segment.replace(/(\p{M}{2})\p{M}+/gu, '$1'))
    .filter((char) => SEEN.test(char))
  const letter = shown.findIndex((char) => LETTER.test(char))
  return shown.slice(Math.max(0, letter))
}

/** The letters of names that were shown: the same few people write most of what is seen. */
const initials = new Map<string, string>()
/** So many are kept. */
const INITIALS = 1_000

/** The letter that stands for a name; never nothing, whatever the name is made of. */
export function initialOf(name: string): string {
  const kept = initials.get(name)
  if (kept !== undefined) return kept
  const initial = shownOf(name)[0]?.toUpperCase() ?? '?'
  if (initials.size >= INITIALS) initials.clear()
  initials.set(name, initial)
  return initial
}

const isAlphabetic = (char: string): boolean => /^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u.test(char)
/** Two letters of a name. Two words give one each, and ideographs two. */
function pairOf(name: string): string {
  const [first, second] = shownOf(name)
  if (first === undefined) return '?'
  if (second === undefined || !/[\p{L}\p{N}]/u.test(first) || !LETTER.test(second)) return first.toUpperCase()
  return isAlphabetic(first) ? first.toUpperCase() + second.toLowerCase() : first + second
}

/**
 * Two letters for each name, different for different names as far as two letters can be: where the first two are
 * another name's, the second gives way to the first one that differs.
 */
export function tileLetters(names: readonly string[]): string[] {
  const pairs = names.map(pairOf)
  return names.map((name, at) => {
    const rivals = names.filter((other, n) => n !== at && other !== name && pairs[n] === pairs[at])
    if (rivals.length === 0) return pairs[at] ?? '?'
    const chars = shownOf(name)
    const others = rivals.map(shownOf)
    const own = chars.find((char, n) => n > 0 && LETTER.test(char) && others.every((other) => other[n] !== char))
    return own === undefined ? (pairs[at] ?? '?') : (chars[0] ?? '?').toUpperCase() + own
  })
}
