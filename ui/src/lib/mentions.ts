// A text that is being written, and whom it calls. A mention is a stretch of the text with the id of who was picked;
// it is never found by its name. It is sent, and stored, as `<@id>`: an account, `&` and a member group, `everyone`.
//
// A stretch moves with what is written around it. Whatever is changed inside it, be it one letter, makes it text: a name
// that is not whole calls nobody. Undoing that brings the mention back (`Steps`). Behind a backslash it is text, too.

import { codeIn } from './code'

export type Mention = { readonly start: number; readonly end: number; readonly id: string }

/** A text as it stands in the input, with its mentions from left to right. */
export type Written = { readonly text: string; readonly mentions: readonly Mention[] }

export const NOTHING: Written = { text: '', mentions: [] }

/** Names by what stands between `<@` and `>`; none for somebody who is not known here. */
export type Names = ReadonlyMap<string, string | null>

/** An id: 22 letters, of which the last has only two bits. */
const ID = '[\\w-]{21}[AQgw]'
const MARK = new RegExp(`<@(everyone|&?${ID})>`, 'g')

/**
 * The text as it is sent. What was written by hand calls nobody, even if it is written as a mention is stored: a backslash
 * makes it text, unless it stands in code, where nobody is called.
 */
export function encode({ text, mentions }: Written): string {
  let out = ''
  let from = 0
  const picked = new Set<number>()
  for (const { start, end, id } of mentions) {
    out += text.slice(from, start)
    picked.add(out.length)
    out += `<@${id}>`
    from = end
  }
  out += text.slice(from)
  const byHand = [...out.matchAll(MARK)].filter(({ index }) => !picked.has(index))
  if (byHand.length === 0) return out
  const code = codeIn(out)
  for (const { index } of byHand.reverse()) {
    if (!isWithin(code, index)) out = `${out.slice(0, index)}\\${out.slice(index)}`
  }
  return out
}

function isWithin(stretches: readonly { from: number; to: number }[], at: number): boolean {
  return stretches.some(({ from, to }) => from <= at && at < to)
}

/** What stands for somebody in the input. */
export function shownName(id: string, name: string | null | undefined): string {
  return `@${name ?? id.replace('&', '').slice(0, 8)}`
}

/** A text that is stored, as it is shown while writing. */
export function decode(stored: string, names: Names): Written {
  let text = ''
  let from = 0
  const mentions: Mention[] = []
  const code = stored.includes('<@') ? codeIn(stored) : []
  for (const found of stored.matchAll(MARK)) {
    const id = found[1] ?? ''
    if (stored[found.index - 1] === '\\') {
      const kept = isWithin(code, found.index) ? found.index : found.index - 1
      text += stored.slice(from, kept) + found[0]
      from = found.index + found[0].length
      continue
    }
    text += stored.slice(from, found.index)
    const start = text.length
    text += shownName(id, names.get(id))
    mentions.push({ start, end: text.length, id })
    from = found.index + found[0].length
  }
  return { text: text + stored.slice(from), mentions }
}

/** A text with another in the place of a stretch. */
export function replaced(written: Written, start: number, end: number, put: Written): Written {
  const grown = put.text.length - (end - start)
  const text = written.text.slice(0, start) + put.text + written.text.slice(end)
  const before = written.mentions.filter((one) => one.end <= start)
  const inside = put.mentions.map((one) => ({ ...one, start: one.start + start, end: one.end + start }))
  const after = written.mentions
    .filter((one) => one.start >= end && one.end > start)
    .map((one) => ({ ...one, start: one.start + grown, end: one.end + grown }))
  return { text, mentions: [...before, ...inside, ...after].filter((one) => text[one.start - 1] !== '\\') }
}

/**
 * Which stretch of a text was changed, and into what. The caret stands behind what was put in, which tells equal letters
 * apart; 0 if it tells nothing.
 */
function change(old: string, text: string, caret: number): { start: number; end: number; put: string } {
  let same = 0
  const most = Math.min(old.length, text.length - Math.min(caret, text.length))
  while (same < most && old[old.length - 1 - same] === text[text.length - 1 - same]) same += 1
  let start = 0
  const least = Math.min(old.length, text.length) - same
  while (start < least && old[start] === text[start]) start += 1
  return { start, end: old.length - same, put: text.slice(start, text.length - same) }
}

/** A text after somebody wrote in it. */
export function edited(before: Written, text: string, caret: number): Written {
  const { start, end, put } = change(before.text, text, caret)
  return replaced(before, start, end, { text: put, mentions: [] })
}

/** Who is called no more by what was written, though something of the name is still there: its author may not see it. */
export function becameText(before: Written, text: string, caret: number): string | null {
  const { start, end } = change(before.text, text, caret)
  const lost = before.mentions.find((one) => start < one.end && end > one.start && (start > one.start || end < one.end))
  return lost ? before.text.slice(lost.start, lost.end) : null
}

/** A text without the white space at its end, as it is sent. */
export function trimmed({ text, mentions }: Written): Written {
  const end = text.trimEnd().length
  return { text: text.slice(0, end), mentions: mentions.filter((one) => one.end <= end) }
}

/** Two texts, one below the other. */
export function joined(above: Written, below: Written): Written {
  if (above.text === '') return below
  if (below.text === '') return above
  const line = replaced(above, above.text.length, above.text.length, { text: '\n', mentions: [] })
  return replaced(line, line.text.length, line.text.length, below)
}

/** A text in which those whose names became known are called by them. */
export function named(written: Written, names: Names): Written {
  let now = written
  for (const { id } of written.mentions) {
    const name = names.get(id)
    if (name == null) continue
    for (const one of now.mentions) {
      const isUnnamed = one.id === id && now.text.slice(one.start, one.end) === shownName(id, null)
      if (!isUnnamed) continue
      const text = shownName(id, name)
      now = replaced(now, one.start, one.end, { text, mentions: [{ start: 0, end: text.length, id }] })
      break
    }
  }
  return now
}

/** Which way somebody goes through what was written. */
export type Way = 'undo' | 'redo'

/** Texts that were written lately, with their mentions: undoing and redoing gives back only the text. */
export class Steps {
  static readonly #KEPT = 200
  #steps: Written[] = []
  /** The one that is in the input. */
  #at = -1

  keep(written: Written): void {
    if (this.#steps[this.#at]?.text === written.text) {
      this.#steps[this.#at] = written
      return
    }
    // What was undone cannot be redone after something else was written.
    this.#steps = [...this.#steps.slice(0, this.#at + 1), written].slice(-Steps.#KEPT)
    this.#at = this.#steps.length - 1
  }

  /** The nearest one with this text on the way; of two with equal names the one who stood there then is called. */
  find(text: string, way: Way): Written | undefined {
    const equal = this.#steps.flatMap((step, n) => (step.text === text ? [n] : []))
    const before = equal.filter((n) => n < this.#at).at(-1)
    const after = equal.find((n) => n > this.#at)
    const found = (way === 'undo' ? (before ?? after) : (after ?? before)) ?? equal[0]
    if (found === undefined) return undefined
    this.#at = found
    return this.#steps[found]
  }
}

/** What is being typed after an `@` right before the caret, or null. */
export function mentionBeforeCaret(
  { text, mentions }: Written,
  caret: number,
): { start: number; prefix: string } | null {
  const found = /(^|[^\p{Script=Latin}\p{N}_.\\-])@([^\s@<>]{0,40})$/u.exec(text.slice(0, caret))
  if (!found) return null
  const prefix = found[2] ?? ''
  const start = caret - prefix.length - 1
  // Behind somebody who was picked nobody is being looked for.
  return mentions.some((one) => one.start <= start && start < one.end) ? null : { start, prefix }
}
