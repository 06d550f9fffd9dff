// Marking as read and as unread by hand, and taking that back.
import type { Api, AppView, LevelPlace, ReadMark } from '../api'
import { i18n } from '../i18n.svelte'
import type { TimelineState } from './timeline.svelte'
import type { Toasts } from './dialogs.svelte'

/** What of a window has to do with marking. */
type Window = {
  readonly api: Api
  readonly view: AppView | null
  readonly timeline: TimelineState | null
  readonly toasts: Toasts
  run<T>(call: Promise<T>): Promise<T | undefined>
}

/** What was marked last is what is said, and what can be taken back. */
const MARKING = { about: 'marking' }

type Done = { account: string; marks: readonly ReadMark[] }

export class Marking {
  constructor(private readonly window: Window) {}

  /** Marks as read what is unread at a place, and offers to take that back. */
  async read(account: string, place: LevelPlace): Promise<void> {
    await this.#read([{ account, place }])
  }

  /** Marks as read what is unread anywhere, on every account. */
  async readAll(): Promise<void> {
    const accounts = this.window.view?.accounts.filter((account) => account.communities.length > 0) ?? []
    await this.#read(accounts.map((account) => ({ account: account.key, place: { at: 'global' } })))
  }

  /** Marks a topic as unread from its last message of somebody else on, or from a place in it. */
  async unread(account: string, topic: string, seq: number | null = null): Promise<void> {
    const { timeline } = this.window
    if (timeline?.topic === topic && timeline.account === account) timeline.reading.hold()
    const done = await this.window.run(this.window.api.submit(account, { type: 'markUnread', topic, seq }))
    if (done) this.window.toasts.show(i18n.t.timeline.held, false, null, MARKING)
  }

  async #read(places: readonly { account: string; place: LevelPlace }[]): Promise<void> {
    const { api, toasts } = this.window
    const done: { account: string; marks: ReadMark[] }[] = []
    for (const { account, place } of places) {
      const marks = await this.window.run(api.markRead(account, place))
      if (marks && marks.length > 0) done.push({ account, marks })
    }
    const topics = done.flatMap(({ marks }) => marks).length
    if (this.#isAmong(done)) this.window.timeline?.reading.letGo()
    if (topics === 0) toasts.show(i18n.t.read.nothing, false, null, MARKING)
    else
      toasts.show(
        i18n.t.read.done(topics),
        false,
        {
          label: i18n.t.undo,
          run: async () => {
            if (this.#isAmong(done, (mark) => mark.seq !== null)) this.window.timeline?.reading.hold()
            for (const { account, marks } of done) await this.window.run(api.setRead(account, marks))
          },
        },
        MARKING,
      )
  }

  /** Whether the open topic is among those that were marked. */
  #isAmong(done: readonly Done[], isMeant: (mark: ReadMark) => boolean = () => true): boolean {
    const { timeline } = this.window
    return done.some(
      ({ account, marks }) =>
        account === timeline?.account && marks.some((mark) => mark.topic === timeline.topic && isMeant(mark)),
    )
  }
}
