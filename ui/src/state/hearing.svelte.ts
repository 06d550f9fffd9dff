// What a screen reader hears of the open topic while the keyboard is elsewhere: who wrote what when it is quiet, how many
// wrote when it is busy; recalls by others, and how it goes on with what I wrote. What was there before is not news.
import type { MessageView, TimelineView } from '../api'
import { i18n } from '../i18n.svelte'
import { recalledText } from '../lib/copied'
import { spoken } from '../lib/plain'

/** After something was said, what comes within this time is said together. */
const PAUSE_MS = 2_000
/** More of a message is not read out unasked. */
const SPOKEN_CHARACTERS = 300

export class Hearing {
  /** What is said now; `count` tells one saying from the same said again. */
  said = $state.raw<{ count: number; text: string }>({ count: 0, text: '' })

  /** The last place that was there, or heard of. */
  #heardTo: number | null = null
  /** Rows as they stood: recalled or not, and how far on their way. */
  #stood = new Map<string, string>()
  #timer: ReturnType<typeof setTimeout> | null = null
  #held: string[] = []
  /** Messages that came meanwhile and are counted only. */
  #counted = 0

  take(view: TimelineView): void {
    const messages = [...view.rows, ...view.pending]
    if (this.#heardTo !== null) {
      for (const message of messages) this.#changes(message)
      this.#news(view, this.#heardTo)
    }
    const last = view.rows.at(-1)?.seq ?? 0
    const isKnown = view.rows.length > 0 || !view.isLoading
    if (isKnown)
      this.#heardTo = Math.max(this.#heardTo ?? 0, view.hasAfter || this.#heardTo === null ? view.head : last)
    this.#stood = new Map(messages.map((message) => [message.id, standing(message)]))
  }

  leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #news(view: TimelineView, heardTo: number): void {
    if (view.hasAfter) {
      // They are not on the screen, so they are only counted.
      if (view.head > heardTo) this.#messages([], view.head - heardTo)
      return
    }
    const news = view.rows.filter((row) => (row.seq ?? 0) > heardTo && !row.isMine && !row.recalled)
    if (news.length > 0) this.#messages(news.map(sentence), 0)
  }

  #changes(message: MessageView): void {
    const before = this.#stood.get(message.id)
    const now = standing(message)
    if (before === undefined || before === now) return
    const t = i18n.t.timeline
    if (now === 'recalled') {
      if (!message.recalled?.isByAuthor || !message.isMine) this.#say(recalledText(message))
    } else if (message.delivery.state === 'failed')
      this.#say(t.said(t.failed, i18n.rejection(message.delivery.rejection)))
    else if (now === 'refused' && message.refused)
      this.#say(t.said(t.changeRefused, i18n.rejection(message.refused.rejection)))
    else if (now === 'waiting') this.#say(t.waiting)
    else if (now === 'sent' && (before === 'failed' || before === 'waiting')) this.#say(t.sent)
  }

  #messages(texts: readonly string[], counted: number): void {
    this.#held.push(...texts)
    this.#counted += counted
    if (this.#timer === null) this.#speak()
  }

  #speak(): void {
    const count = this.#held.length + this.#counted
    const only = this.#held[0]
    this.#timer = null
    if (count === 0) return
    this.#say(count === 1 && only !== undefined ? only : i18n.t.timeline.news(i18n.number(count)))
    this.#held = []
    this.#counted = 0
    this.#timer = setTimeout(() => this.#speak(), PAUSE_MS)
  }

  #say(text: string): void {
    this.said = { count: this.said.count + 1, text }
  }
}

function standing(message: MessageView): string {
  if (message.recalled) return 'recalled'
  if (message.refused && message.delivery.state !== 'failed') return 'refused'
  return message.delivery.state
}

function sentence(message: MessageView): string {
  const text = spoken(message.blocks, i18n.t.everyone, i18n.t.timeline.spoiler)
  return i18n.t.timeline.said(i18n.someone(message.author), [...text].slice(0, SPOKEN_CHARACTERS).join(''))
}
