/** A text as it is looked for and looked in. */
export const folded = (text: string): string => text.trim().toLowerCase()

/** How well a name fits what was typed: 0 best, null not at all. Every typed character must come, in order. */
export const fit = (name: string, typed: string): number | null => fitIn(name.toLowerCase(), folded(typed))

/** The same for what is folded already. */
export function fitIn(hay: string, needle: string): number | null {
  if (needle === '') return 3
  if (hay.startsWith(needle)) return 0
  if (hay.includes(needle)) return 1
  let at = 0
  for (const char of needle) {
    if (char === ' ') continue
    at = hay.indexOf(char, at) + 1
    if (at === 0) return null
  }
  return 2
}
