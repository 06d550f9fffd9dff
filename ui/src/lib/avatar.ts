/** How many avatar colours there are (`--av-1` … in `app.css`). */
const COLOURS = 6

/** Making one takes far longer than using it. */
const segmenter = new Intl.Segmenter()

/** The colour of a person or community without a picture: always the same one for the same id. */
export function colourOf(id: string): number {
  let hash = 2166136261
  for (const char of id) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 16777619)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (((hash ^ (hash >>> 16)) >>> 0) % COLOURS) + 1
}

/** The letter or letters that stand for a name: one for ideographs, up to `letters` otherwise. */
export function initialsOf(name: string, letters = 1): string {
  const chars = [...segmenter.segment(name.trim())].map((part) => part.segment)
  const first = chars[0]
  if (first === undefined) return '?'
  if (letters === 1 || !/^[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u.test(first))
    return first.toUpperCase()
  return first.toUpperCase() + (chars[1] && /\p{L}|\p{N}/u.test(chars[1]) ? chars[1].toLowerCase() : '')
}
