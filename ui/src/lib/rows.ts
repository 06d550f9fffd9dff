// The lines of a timeline: messages, each with what stands above it.
import type { MessageView, TimelineView } from '../api'

/** Messages of one author within this time stand close together. */
const TIGHT_MS = 5 * 60_000

export type StartItem = { kind: 'start'; key: string }
export type MessageItem = {
  kind: 'message'
  key: string
  message: MessageView
  /** Continues the author's message above: neither picture nor name. */
  isTight: boolean
  /** A day begins here: its time. */
  day: number | null
  /** The divider stands above. */
  isFirstUnread: boolean
}
export type Item = StartItem | MessageItem

function isSameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString()
}

function isTight(message: MessageView, above: MessageView | undefined, isFirstUnread: boolean): boolean {
  return (
    above !== undefined &&
    !isFirstUnread &&
    message.reply === null &&
    above.recalled === null &&
    message.recalled === null &&
    above.author.id === message.author.id &&
    message.sentAt - above.sentAt < TIGHT_MS &&
    isSameDay(message.sentAt, above.sentAt)
  )
}

/**
 * The lines of a stretch. While more rows can come before it, its first row is only the context of the second:
 * what stands above a shown row never changes when earlier rows are added, so nothing moves.
 */
export function itemsOf(view: TimelineView): Item[] {
  const items: Item[] = []
  const isKnown = view.rows.length > 0 || !(view.isLoading || view.isCutOff)
  if (!view.hasBefore && isKnown) items.push({ kind: 'start', key: 'start' })
  const sent = new Set(view.rows.map((row) => row.id))
  const messages = [...view.rows, ...view.pending.filter((row) => !sent.has(row.id))]
  const isFirstHidden = view.hasBefore && !view.isCutOff && view.rows.length > 1
  messages.forEach((message, index) => {
    if (index === 0 && isFirstHidden) return
    const above = messages[index - 1]
    const isFirstUnread = message.seq !== null && message.seq === view.firstUnread
    items.push({
      kind: 'message',
      key: message.id,
      message,
      isTight: isTight(message, above, isFirstUnread),
      day: above && isSameDay(above.sentAt, message.sentAt) ? null : message.sentAt,
      isFirstUnread,
    })
  })
  return items
}
