// Mentions stand in a message as `<@id>`, of a member group as `<@&id>`, of everyone as `<@everyone>`; in the composer
// they stand as `@name`, and nobody sees an id. A name is kept here under what stands between `<@` and `>`.
import type { Block, Inline } from '../api'

const MARK = /<@([^<>\s]{1,80})>/g

/** Names that were put into a text, by the id that each stands for. */
export type Names = ReadonlyMap<string, string>

/** The text as it is sent. Longer names first, so that `@Ann` does not eat the start of `@Anna`. */
export function encodeMentions(text: string, names: Names): string {
  const byLength = [...names].sort(([, a], [, b]) => b.length - a.length)
  let rest = text
  let out = ''
  while (rest !== '') {
    const at = rest.indexOf('@')
    if (at < 0) break
    out += rest.slice(0, at)
    rest = rest.slice(at)
    const found = byLength.find(([, name]) => name !== '' && rest.startsWith(`@${name}`))
    if (found) {
      out += `<@${found[0]}>`
      rest = rest.slice(found[1].length + 1)
    } else {
      out += '@'
      rest = rest.slice(1)
    }
  }
  return out + rest
}

/** The text as it is shown while writing. An id without a known name stays as it is. */
export function decodeMentions(text: string, names: Names): string {
  return text.replaceAll(MARK, (mark, id: string) => {
    const name = names.get(id)
    return name === undefined ? mark : `@${name}`
  })
}

/** The names in a message's tree, by id: what an editor needs to show its text. */
export function namesIn(blocks: readonly Block[]): Map<string, string> {
  const names = new Map<string, string>()
  const inline = (part: Inline): void => {
    if (part.type === 'mention') names.set(part.account, part.name)
    else if (part.type === 'mentionGroup') names.set(`&${part.memberGroup}`, part.name)
    else if ('inlines' in part) part.inlines.forEach(inline)
  }
  const block = (part: Block): void => {
    if ('inlines' in part) part.inlines.forEach(inline)
    else if (part.type === 'quote') part.blocks.forEach(block)
    else if (part.type === 'list') part.items.forEach((item) => item.forEach(block))
  }
  blocks.forEach(block)
  return names
}

/** What is being typed after an `@` right before the caret, or null. */
export function mentionBeforeCaret(text: string, caret: number): { start: number; prefix: string } | null {
  const found = /(^|[^\p{Script=Latin}\p{N}_.-])@([^\s@<>]{0,40})$/u.exec(text.slice(0, caret))
  if (!found) return null
  const prefix = found[2] ?? ''
  return { start: caret - prefix.length - 1, prefix }
}
