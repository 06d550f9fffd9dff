// The timeline of the open topic: which stretch is wanted, what is shown of it, and where the eye should land.
import { reasonOf, type Api, type MessageView, type Stretch, type TimelineView, type WindowError } from '../api'
import { itemsOf, type Item } from '../lib/rows'
import { Reading } from './reading'
import { Reread } from './reread'

/** Rows read at a time. */
export const PAGE = 50
/** Rows held at most while scrolling; beyond it the far end is let go. */
const HELD = 200

/** Where the timeline should scroll to. */
export type Aim = { to: 'end' } | { to: 'unread' } | { to: 'message'; id: string }

export class TimelineState {
  view = $state.raw<TimelineView | null>(null)
  error = $state.raw<WindowError | null>(null)
  items = $state.raw<Item[]>([])
  /** Counts whole replacements of the lines. */
  generation = $state(0)
  aim = $state.raw<Aim | null>(null)
  /** The message that a jump led to. */
  flashed = $state<string | null>(null)
  /** A jump waits for rows from the server. */
  isJumping = $state(false)
  readonly reading: Reading

  #stretch: Stretch = { at: 'unread', count: PAGE }
  #isReplacing = true
  #isEntered = false
  #entering: Promise<unknown> | null = null
  #isLeft = false
  readonly #reread: Reread

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly topic: string,
    private readonly onLost: (error: WindowError) => void,
  ) {
    this.#reread = new Reread(() => this.#read())
    this.reading = new Reading((seq) => {
      this.api.submit(this.account, { type: 'advance', topic: this.topic, seq }).catch(() => undefined)
    })
  }

  async open(): Promise<void> {
    this.error = null
    this.aim = { to: 'unread' }
    await this.ask()
  }

  leave(): void {
    if (this.#isLeft) return
    this.#isLeft = true
    this.reading.leave()
    // What overtook the entering would leave nothing, and the topic would be entered for good.
    const leave = (): Promise<unknown> => this.api.leaveTopic(this.account, this.topic)
    const left = this.#entering ? this.#entering.then(leave, leave) : leave()
    left.catch(() => undefined)
  }

  /** Somebody looks again: the divider goes before what came meanwhile. */
  async comeBack(): Promise<void> {
    await this.api.comeBack(this.account, this.topic).catch(() => null)
  }

  readonly #seenMentions = new Set<string>()

  /** These rows, one after the other, were on the screen while somebody looked. */
  saw(rows: readonly MessageView[]): void {
    const seqs = rows.flatMap((row) => row.seq ?? [])
    const [first, last] = [seqs[0], seqs.at(-1)]
    if (first !== undefined && last !== undefined) this.reading.saw(first, last)
    for (const id of this.view?.newMentions ?? []) {
      if (this.#seenMentions.has(id) || !rows.some((row) => row.id === id)) continue
      this.#seenMentions.add(id)
      const action = { type: 'seeMention' as const, topic: this.topic, message: id }
      this.api.submit(this.account, action).catch(() => this.#seenMentions.delete(id))
    }
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  async loadBefore(): Promise<void> {
    const first = this.view?.rows[0]?.seq
    if (!this.view?.hasBefore || this.view.isCutOff || first == null || this.#stretch.at !== 'range') return
    if (this.view.isLoading && this.#stretch.from < first) return
    const from = Math.max(1, first - PAGE)
    const last = this.view.rows.at(-1)?.seq ?? first
    const isTooLong = last - from >= HELD
    this.#stretch = { at: 'range', from, to: isTooLong ? from + HELD - 1 : this.#stretch.to }
    await this.ask()
  }

  async loadAfter(): Promise<void> {
    const last = this.view?.rows.at(-1)?.seq
    if (!this.view?.hasAfter || this.view.isCutOff || last == null || this.#stretch.at !== 'range') return
    if (this.view.isLoading && this.#stretch.to !== null && this.#stretch.to > last) return
    const end = last + PAGE
    const from = Math.max(this.#stretch.from, end - HELD + 1)
    this.#stretch = { at: 'range', from, to: end >= this.view.head ? null : end }
    await this.ask()
  }

  /** At the newest rows: lets go of what lies far above. */
  trimAbove(): void {
    const last = this.view?.rows.at(-1)?.seq
    if (last == null || this.#stretch.at !== 'range' || this.#stretch.to !== null) return
    if (last - this.#stretch.from > HELD) {
      this.#stretch = { at: 'range', from: last - HELD / 2, to: null }
      void this.ask()
    }
  }

  async jumpToNewest(): Promise<void> {
    if (this.view && !this.view.hasAfter) {
      this.aim = { to: 'end' }
      return
    }
    await this.#jump({ at: 'end', count: PAGE }, { to: 'end' })
  }

  /** Goes to the first row that is unread. */
  async jumpToUnread(): Promise<void> {
    await this.comeBack()
    await this.#jump({ at: 'unread', count: PAGE }, { to: 'unread' })
  }

  async jumpTo(id: string): Promise<void> {
    if (this.items.some((item) => item.key === id)) {
      this.aim = { to: 'message', id }
      return
    }
    await this.#jump({ at: 'message', id, count: PAGE }, { to: 'message', id })
  }

  /** The view has scrolled to its aim. */
  arrived(): void {
    if (this.aim?.to === 'message') this.flashed = this.aim.id
    this.aim = null
  }

  find(id: string): MessageView | undefined {
    return this.view?.rows.find((row) => row.id === id) ?? this.view?.pending.find((row) => row.id === id)
  }

  /** My newest message that can be edited. */
  lastEditable(): MessageView | undefined {
    if (!this.view) return undefined
    return [...this.view.rows, ...this.view.pending]
      .reverse()
      .find((row) => row.isMine && row.recalled === null && row.actions.includes('edit'))
  }

  async #jump(stretch: Stretch, aim: Aim): Promise<void> {
    this.#stretch = stretch
    this.#isReplacing = true
    this.isJumping = true
    await this.ask()
    if (!this.#isReplacing) this.aim = aim
    else this.#aimWhenThere = aim
  }

  #aimWhenThere: Aim | null = null

  async #read(): Promise<void> {
    const stretch = this.#stretch
    try {
      const view = await this.#ask(stretch)
      if (this.#isLeft) return
      this.error = null
      if (view.rows.length === 0 && view.isCutOff && stretch.at === 'unread' && this.#stretch === stretch) {
        // The unread rows cannot be fetched now: the newest that are on this computer will do.
        const end = await this.api.timelineView(this.account, this.topic, { at: 'end', count: PAGE })
        if (this.#isLeft) return
        this.#apply(end, stretch)
        return
      }
      this.#apply(view, stretch)
    } catch (thrown) {
      if (this.#isLeft) return
      this.isJumping = false
      this.error = reasonOf(thrown)
      if (stretch.at === 'message') this.#giveUpJump()
    }
  }

  /** The first answer comes with entering, which fixes the divider. What cannot be entered can be looked at. */
  async #ask(stretch: Stretch): Promise<TimelineView> {
    const look = (): Promise<TimelineView> => this.api.timelineView(this.account, this.topic, stretch)
    if (this.#isEntered) return look()
    const entering = this.api.enterTopic(this.account, this.topic, stretch)
    this.#entering = entering
    try {
      const view = await entering
      this.#isEntered = true
      return view
    } catch {
      return look()
    } finally {
      this.#entering = null
    }
  }

  #giveUpJump(): void {
    const error = this.error ?? { code: 'not_found', message: '', rejection: null }
    this.error = null
    this.isJumping = false
    this.#isReplacing = this.view === null
    this.#aimWhenThere = null
    const first = this.view?.rows[0]?.seq
    this.#stretch =
      first == null
        ? { at: 'unread', count: PAGE }
        : { at: 'range', from: first, to: this.view?.hasAfter ? (this.view.rows.at(-1)?.seq ?? null) : null }
    this.onLost(error)
  }

  #apply(view: TimelineView, stretch: Stretch): void {
    const isThere = stretch.at !== 'message' || view.rows.some((row) => row.id === stretch.id)
    if (this.#isReplacing && this.view && (!isThere || (view.rows.length === 0 && view.isLoading))) {
      // The wanted rows are still on their way: what is shown stays until they are here.
      if (!isThere && !view.isLoading) this.#giveUpJump()
      return
    }
    if (!this.#isReplacing && view.rows.length === 0 && view.isLoading && this.view?.rows.length) return
    const isReplacing = this.#isReplacing
    this.view = view
    this.reading.readTo(view.readTo)
    const wanted = itemsOf(view, this.items)
    const first = view.rows[0]?.seq
    if (isReplacing && (first != null || !(view.isLoading || view.isCutOff))) {
      this.#isReplacing = false
      this.isJumping = false
      this.generation += 1
      this.items = wanted
      if (this.#aimWhenThere) this.aim = this.#aimWhenThere
      this.#aimWhenThere = null
      if (first != null && this.#stretch === stretch) {
        this.#stretch = { at: 'range', from: first, to: view.hasAfter ? (view.rows.at(-1)?.seq ?? null) : null }
      }
      return
    }
    this.items = wanted
    // Rows were added below the newest one that was shown: follow the end.
    if (this.#stretch === stretch && stretch.at === 'range' && stretch.to !== null && !view.hasAfter) {
      this.#stretch = { ...stretch, to: null }
    }
  }
}
