// The lines of a timeline: messages, each with what stands above it.
import type { MessageView, TimelineView } from '../api'
import { startOfDay } from './today.svelte'

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
  /** The day that it stands under: when that began. */
  under: number
  /** The divider stands above. */
  isFirstUnread: boolean
}
export type Item = StartItem | MessageItem

function isTight(message: MessageView, above: MessageView | undefined, isFirstUnread: boolean): boolean {
  return (
    above !== undefined &&
    !isFirstUnread &&
    message.reply === null &&
    above.recalled === null &&
    message.recalled === null &&
    above.author.id === message.author.id &&
    message.sentAt - above.sentAt < TIGHT_MS
  )
}

/**
 * The lines of a stretch. While more rows can come before it, its first row is only the context of the second:
 * what stands above a shown row never changes when earlier rows are added, so nothing moves.
 * A line that is as it was before is the same object: only what changed is drawn again.
 */
export function itemsOf(view: TimelineView, before: readonly Item[] = []): Item[] {
  const items: Item[] = []
  const known = new Map(before.map((item) => [item.key, item]))
  const add = (item: Item): void => {
    const old = known.get(item.key)
    items.push(old && isSame(old, item) ? old : item)
  }
  const isKnown = view.rows.length > 0 || !(view.isLoading || view.isCutOff)
  if (!view.hasBefore && isKnown) add({ kind: 'start', key: 'start' })
  const sent = new Set(view.rows.map((row) => row.id))
  const messages = [...view.rows, ...view.pending.filter((row) => !sent.has(row.id))]
  const isFirstHidden = view.hasBefore && !view.isCutOff && view.rows.length > 1
  // A server whose clock was set back gives earlier times to later messages: a day that has begun goes on.
  let under = 0
  messages.forEach((message, index) => {
    const day = Math.max(under, startOfDay(message.sentAt))
    const isNewDay = day !== under
    under = day
    if (index === 0 && isFirstHidden) return
    const isFirstUnread = message.seq !== null && message.seq === view.firstUnread
    add({
      kind: 'message',
      key: message.id,
      message,
      isTight: !isNewDay && isTight(message, messages[index - 1], isFirstUnread),
      day: isNewDay ? day : null,
      under,
      isFirstUnread,
    })
  })
  return items
}

/** Whether two values of a view say the same. */
function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other)) return true
  if (typeof one !== 'object' || typeof other !== 'object' || one === null || other === null) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every((key) => isSame((one as Record<string, unknown>)[key], (other as Record<string, unknown>)[key]))
  )
}
