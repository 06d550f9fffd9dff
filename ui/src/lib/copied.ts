// What goes to the clipboard from the timeline: names, times and texts as they were typed, no labels of buttons.
import type { MentionedView, MessageView } from '../api'
import { i18n } from '../i18n.svelte'
import { withoutTurns } from './isolate'
import { decode } from './mentions'
import type { Item, MessageItem } from './rows'

const BLOCKS = new Set(['P', 'LI', 'PRE', 'BLOCKQUOTE', 'DIV', 'UL', 'OL', 'TR', 'FIGURE'])

/** A message as it was typed: mentions with names, in code and beyond the fold as well. */
export function typedText({ text }: Pick<MessageView, 'text'>, mentioned: readonly MentionedView[]): string {
  if (!text.includes('<@')) return text
  const names = mentioned.map(({ id, name }) => [id, name === null ? null : i18n.person(name)] as const)
  return decode(text, new Map([...names, ['everyone', i18n.t.everyone]])).text
}

/** The line of a recalled message. */
export function recalledText(message: MessageView): string {
  const { recalled, author } = message
  if (!recalled) return ''
  const t = i18n.t.timeline
  if (!recalled.isByAuthor) {
    const by = i18n.someone({ name: recalled.by, accountName: recalled.byAccountName })
    return t.recalledBy(by, i18n.someone(author))
  }
  return message.isMine ? t.youRecalled : t.recalledByAuthor(i18n.someone(author))
}

/**
 * What a selection in the timeline copies. None: it lies within the words of one message, and the web view copies them
 * as they are. Of the first and the last message only what is selected of them; of those between, all.
 */
export function copied(
  root: HTMLElement,
  selection: Selection,
  items: readonly Item[],
  mentioned: readonly MentionedView[],
): string | null {
  if (selection.isCollapsed || selection.rangeCount === 0) return null
  const range = selection.getRangeAt(0)
  const touched = [...root.querySelectorAll<HTMLElement>('[data-message-id]')].filter((row) =>
    range.intersectsNode(row),
  )
  const first = touched[0]
  const last = touched.at(-1)
  if (!first || !last) return null
  const at = (row: HTMLElement): number => items.findIndex((item) => item.key === row.dataset.messageId)
  const from = at(first)
  const to = at(last)
  if (from < 0 || to < 0) return null
  const whole = items.slice(from, to + 1).filter((item): item is MessageItem => item.kind === 'message')
  if (first === last) {
    const text = textOf(first)
    const part = text && selectedIn(text, range)
    const isWithin = text !== null && text.contains(range.startContainer) && text.contains(range.endContainer)
    if (isWithin) return part?.isWhole && whole[0] ? typedText(whole[0].message, mentioned) : null
  }
  const lines: string[] = []
  for (const item of whole) {
    const row = item === whole[0] ? first : item === whole.at(-1) ? last : null
    const text = row && textOf(row)
    const part = text ? selectedIn(text, range) : null
    const words = item.message.recalled
      ? withoutTurns(recalledText(item.message))
      : part && !part.isWhole
        ? part.words
        : typedText(item.message, mentioned)
    if (words === '') continue
    if (item.day !== null && lines.length > 0) lines.push('', i18n.day(item.day))
    if (item.message.recalled) {
      lines.push(...(lines.length > 0 ? ['', words] : [words]))
      continue
    }
    const isContinued = item.isTight && lines.length > 0
    if (!isContinued) {
      if (lines.length > 0) lines.push('')
      lines.push(`${withoutTurns(i18n.someone(item.message.author))} – ${i18n.time(item.message.sentAt)}`)
    }
    lines.push(words)
  }
  return lines.length > 0 ? lines.join('\n') : null
}

const textOf = (row: HTMLElement): HTMLElement | null => row.querySelector<HTMLElement>('.text')

/** What of an element is selected. */
function selectedIn(element: HTMLElement, range: Range): { words: string; isWhole: boolean } {
  const own = document.createRange()
  own.selectNodeContents(element)
  const all = wordsOf(own)
  if (range.compareBoundaryPoints(Range.START_TO_START, own) > 0) own.setStart(range.startContainer, range.startOffset)
  if (range.compareBoundaryPoints(Range.END_TO_END, own) < 0) own.setEnd(range.endContainer, range.endOffset)
  const words = wordsOf(own)
  return { words: words.trim(), isWhole: words.trim() === all.trim() }
}

/** The words of a stretch of the page, with its line breaks and without what is no text. */
function wordsOf(range: Range): string {
  let words = ''
  const walk = (node: Node): void => {
    if (node instanceof Text) words += node.data
    else if (node instanceof Element && node.matches('button, figcaption, .edited, .sr, [aria-hidden="true"]')) return
    else if (node.nodeName === 'BR') words += '\n'
    else {
      const isBlock = BLOCKS.has(node.nodeName) && words !== '' && !words.endsWith('\n')
      if (isBlock) words = `${words.trimEnd()}\n`
      node.childNodes.forEach(walk)
    }
  }
  range.cloneContents().childNodes.forEach(walk)
  return words
}
