// What is being written in the open topic: a message with what it replies to, and edits of messages that are there. All
// of it is stored a moment after the last key, and stays until it is sent or given up.
import type { Api, AuthorView, DraftView, EditView, MentionedView, MessageView } from '../api'
import { MESSAGE_BYTES, bytesOf } from '../lib/bytes'
import { i18n } from '../i18n.svelte'
import {
  NOTHING,
  Steps,
  decode,
  edited,
  encode,
  joined,
  named,
  replaced,
  shownName,
  trimmed,
  type Way,
  type Written,
} from '../lib/mentions'

/** A draft is stored this long after the last key. */
const DRAFT_MS = 250
/** Stands for what the program was asked to store and could not. */
const NOT_STORED = '\0'

/** The message that is answered; whose it is stays unknown until it was in a view. */
export type Quoted = { id: string; author: Pick<AuthorView, 'name' | 'accountName'> | null }

/** An edit in progress. */
export type Editing = {
  /** The message. */
  readonly id: string
  /** What it said when the edit began, or when the person looked at it last. */
  readonly base: string
  readonly written: Written
  /** What it says now; null if it is not on this computer. */
  readonly now: string | null
  readonly isRecalled: boolean
  readonly canRecall: boolean
}

/** What a view says of the texts that are being written. */
export type Stored = { draft: DraftView; edits: readonly EditView[]; mentioned: readonly MentionedView[] }

export class ComposerState {
  #message = $state.raw<Written>(NOTHING)
  #reply = $state.raw<Quoted | null>(null)
  /** In the order in which they were begun; the last is in the input, unless a message was begun since. */
  #edits = $state.raw<readonly Editing[]>([])
  #isMessageFirst = $state(false)
  #names = new Map<string, string | null>()
  #steps = new Steps()
  /** Asks the input to take the keyboard. */
  focusAsked = $state(0)

  readonly editing = $derived<Editing | null>(this.#isMessageFirst ? null : (this.#edits.at(-1) ?? null))
  readonly written = $derived<Written>(this.editing?.written ?? this.#message)
  readonly text = $derived(this.written.text)
  /** What the message in the input answers. */
  readonly reply = $derived(this.editing ? null : this.#reply)
  /** An edit waits while a message is written. */
  readonly hasEditAside = $derived(this.#isMessageFirst && this.#edits.length > 0)
  /** The message that is edited says something else meanwhile, or is gone: the person chooses first. */
  readonly isOvertaken = $derived(
    this.editing !== null && (this.editing.isRecalled || this.editing.now !== this.editing.base),
  )
  /** What would be sent: mentions are longer there than in the input. */
  readonly bytes = $derived(bytesOf(encode(this.written)))
  readonly isTooLong = $derived(this.bytes > MESSAGE_BYTES)
  readonly isEmpty = $derived(this.text.trim() === '')
  readonly canSend = $derived(!this.isEmpty && !this.isTooLong && !this.isOvertaken)

  /** What the program has stored, or was asked to store, by the message that it would change (`''`: a new one). */
  readonly #kept = new Map<string, string>()
  #isRestored = false
  #hasSent = false
  #isDraftLost = false
  #timer: ReturnType<typeof setTimeout> | null = null
  /** Drafts and what is sent reach the program in this order. */
  #queue: Promise<unknown> = Promise.resolve()
  #waiting = 0

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly topic: string,
    private readonly onFailed: (thrown: unknown) => void,
  ) {}

  /** What the view says: at first what is stored, later what became of the messages that are edited. */
  hear(stored: Stored, find: (id: string) => MessageView | undefined): void {
    for (const { id, name } of stored.mentioned) this.#names.set(id, name)
    if (!this.#isRestored) this.#restore(stored)
    const author = this.#reply && find(this.#reply.id)?.author
    if (this.#reply && author) this.#reply = { ...this.#reply, author }
    this.#message = named(this.#message, this.#names)
    if (this.#edits.length === 0) return
    this.#edits = this.#edits.map((edit) => {
      const view = stored.edits.find((view) => view.message === edit.id)
      const written = named(edit.written, this.#names)
      if (!view) return { ...edit, written }
      const { now, isRecalled, canRecall } = view
      const heard = { ...edit, written, now, isRecalled, canRecall }
      // Where nothing was written there is nothing to choose.
      return isUnchanged(edit) && now !== null ? { ...heard, base: now, written: this.#decoded(now) } : heard
    })
    for (const edit of this.#edits) if (edit.isRecalled && isNothing(edit)) this.#end(edit)
  }

  /** Puts what is stored into the input, once; what was written meanwhile stays. */
  #restore({ draft, edits }: Stored): void {
    this.#isRestored = true
    const isUntouched = this.#message.text === '' && this.#reply === null && !this.#hasSent
    if (isUntouched) {
      this.#kept.set('', keyOf(draft.text, draft.replyTo ?? ''))
      this.#message = this.#decoded(draft.text)
      if (draft.replyTo !== null) {
        this.#reply = { id: draft.replyTo, author: null }
      }
    }
    const restored: Editing[] = []
    for (const edit of edits) {
      this.#kept.set(edit.message, keyOf(edit.base, edit.text))
      const isBegunAnew = this.#edits.some((other) => other.id === edit.message)
      // Nothing was written: the program was cut off before it could be taken back.
      if (edit.text === edit.base && !isBegunAnew) this.#keepEdit(edit.message, null)
      else if (!isBegunAnew) {
        const { now, isRecalled, canRecall, base } = edit
        restored.push({ id: edit.message, base, written: this.#decoded(edit.text), now, isRecalled, canRecall })
      }
    }
    this.#edits = [...restored, ...this.#edits]
    if (this.#message.text !== '' && !isUntouched) this.#isMessageFirst = true
  }

  /** The input says something else. The caret stands behind what was written. */
  write(text: string, caret = text.length, way?: Way): void {
    if (text === this.text) return
    const before = way && this.#steps.find(text, way)
    if (before) this.#show(before)
    else this.#set(edited(this.written, text, caret))
  }

  /** Somebody was picked: the mention takes the place of what was typed. The caret goes behind it. */
  pick(start: number, end: number, id: string, name: string): number {
    const shown = shownName(id, name)
    const mentions = [{ start: 0, end: shown.length, id }]
    this.#names.set(id, name)
    this.#set(replaced(this.written, start, end, { text: `${shown} `, mentions }))
    return start + shown.length + 1
  }

  /** Puts text in the place of a stretch. */
  put(start: number, end: number, text: string): void {
    this.#set(replaced(this.written, start, end, { text, mentions: [] }))
  }

  /** Somebody is mentioned at the end of the text. */
  mention(id: string, name: string): void {
    const end = this.text.length
    if (end > 0 && !/\s$/.test(this.text)) this.put(end, end, ' ')
    this.pick(this.text.length, this.text.length, id, name)
    this.focusAsked += 1
  }

  startReply(message: MessageView): void {
    this.#isMessageFirst = this.#edits.length > 0
    this.#reply = { id: message.id, author: message.author }
    this.focusAsked += 1
    this.#draftSoon()
  }

  cancelReply(): void {
    this.#reply = null
    if (this.#message.text === '') this.#isMessageFirst = false
    this.#draftSoon()
  }

  /** Begins to edit a message, or goes on with it; `text` is what it should say, if not what it says. */
  startEdit(message: MessageView, text?: string): void {
    const begun = this.#edits.find((edit) => edit.id === message.id)
    const written = text === undefined ? begun?.written : this.#decoded(text)
    const before = this.editing
    if (before && before.id !== message.id && isUnchanged(before)) this.#end(before)
    const edit: Editing = {
      id: message.id,
      base: begun?.base ?? message.text,
      written: written ?? this.#decoded(message.text),
      now: begun?.now ?? message.text,
      isRecalled: begun?.isRecalled ?? message.recalled !== null,
      canRecall: message.actions.includes('recall'),
    }
    this.#edits = [...this.#edits.filter((other) => other.id !== message.id), edit]
    this.#steps = new Steps()
    this.backToEdit()
    this.#store()
  }

  /** Goes on with the edit that waits. */
  backToEdit(): void {
    this.#isMessageFirst = false
    this.focusAsked += 1
  }

  /** Gives the edit up. What was being written before is there again. */
  cancelEdit(): void {
    if (this.editing) this.#end(this.editing)
  }

  /** What the message says now is to be changed into what was written. */
  async insist(): Promise<boolean> {
    const edit = this.editing
    if (!edit || edit.now === null || edit.isRecalled) return false
    this.#replace({ ...edit, base: edit.now })
    return this.send()
  }

  /** The edit goes on from what the message says now. */
  takeTheirs(): void {
    const edit = this.editing
    if (!edit || edit.now === null) return
    this.#replace({ ...edit, base: edit.now, written: this.#decoded(edit.now) })
    this.#draftSoon()
  }

  /** Sends or saves. The text leaves the input when the program has it safe on disk, and comes back if it does not. */
  async send(): Promise<boolean> {
    if (!this.canSend) return false
    this.#stopTimer()
    const text = encode(trimmed(this.written))
    return this.editing ? this.#saveEdit(this.editing, text) : this.#sendMessage(text)
  }

  async #saveEdit(edit: Editing, text: string): Promise<boolean> {
    if (text === edit.base) {
      this.#end(edit)
      return true
    }
    this.#forget(edit)
    this.#store()
    const action = { type: 'editMessage' as const, topic: this.topic, message: edit.id, from: edit.base, text }
    const isSaved = await this.#submit(() => this.api.submit(this.account, action))
    if (!isSaved) {
      // It is stored still. If the person began anew meanwhile, both are there.
      const others = this.#edits.filter((other) => other.id !== edit.id)
      const again = this.#edits.find((other) => other.id === edit.id)
      this.#edits = [...others, again ? { ...again, written: joined(edit.written, again.written) } : edit]
      this.#draftSoon()
    } else this.#kept.delete(edit.id)
    return isSaved
  }

  async #sendMessage(text: string): Promise<boolean> {
    const written = this.#message
    const reply = this.#reply
    this.#message = NOTHING
    this.#reply = null
    this.#isMessageFirst = false
    this.#hasSent = true
    this.#kept.set('', keyOf('', ''))
    this.#store()
    const action = { type: 'sendMessage' as const, topic: this.topic, text, replyTo: reply?.id ?? null }
    const isSent = await this.#submit(() => this.api.submit(this.account, action))
    if (!isSent) {
      this.#message = joined(written, this.#message)
      this.#reply ??= reply
      this.#draftSoon()
    }
    return isSent
  }

  /** Nothing is to be stored any more: what the program has is what is written here. */
  get isStored(): boolean {
    return this.#waiting === 0 && this.#timer === null && ![...this.#kept.values()].includes(NOT_STORED)
  }

  /** The topic is left, or the window loses the eye of the person: what is written is stored at once. */
  flush(): void {
    this.#stopTimer()
    this.#store()
  }

  leave(): void {
    for (const edit of this.#edits) if (isUnchanged(edit)) this.#end(edit)
    this.flush()
  }

  /** A stored text as it would stand in the input. */
  shown(text: string): string {
    return this.#decoded(text).text
  }

  #decoded(text: string): Written {
    return decode(text, new Map([...this.#names, ['everyone', i18n.t.everyone]]))
  }

  #set(written: Written): void {
    this.#steps.keep(this.written)
    this.#steps.keep(written)
    this.#show(written)
  }

  #show(written: Written): void {
    const edit = this.editing
    if (edit) this.#replace({ ...edit, written })
    else this.#message = written
    this.#draftSoon()
  }

  #replace(edit: Editing): void {
    this.#edits = this.#edits.map((other) => (other.id === edit.id ? edit : other))
  }

  #forget(edit: Editing): void {
    this.#edits = this.#edits.filter((other) => other.id !== edit.id)
    this.#steps = new Steps()
  }

  #end(edit: Editing): void {
    this.#forget(edit)
    this.#keepEdit(edit.id, null)
  }

  /** Waits until all that was to be stored before is stored. */
  async #submit(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await this.#inOrder(act)
      return true
    } catch (thrown) {
      this.onFailed(thrown)
      return false
    }
  }

  /** Runs when all that was begun before has ended; at once if nothing is under way. */
  #inOrder(act: () => Promise<unknown>): Promise<unknown> {
    const done = this.#waiting === 0 ? act() : this.#queue.then(act)
    this.#waiting += 1
    this.#queue = done
      .catch(() => undefined)
      .then(() => {
        this.#waiting -= 1
      })
    return done
  }

  #draftSoon(): void {
    this.#stopTimer()
    this.#timer = setTimeout(() => {
      this.#timer = null
      this.#store()
    }, DRAFT_MS)
  }

  #stopTimer(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  #store(): void {
    for (const edit of this.#edits) this.#keepEdit(edit.id, { base: edit.base, text: encode(edit.written) })
    // Before the stored draft is known, an empty input says nothing.
    if (!this.#isRestored && !this.#hasSent && this.#message.text === '' && this.#reply === null) return
    const draft = { text: encode(this.#message), replyTo: this.#reply?.id ?? null }
    this.#keep('', keyOf(draft.text, draft.replyTo ?? ''), () => this.api.saveDraft(this.account, this.topic, draft))
  }

  #keepEdit(message: string, edit: { base: string; text: string } | null): void {
    const key = edit === null ? '' : keyOf(edit.base, edit.text)
    this.#keep(message, key, () => this.api.saveEdit(this.account, this.topic, message, edit))
  }

  /** Stores what differs from what is stored, after what was to be stored before. */
  #keep(of: string, key: string, save: () => Promise<unknown>): void {
    const before = this.#kept.get(of) ?? (of === '' ? keyOf('', '') : '')
    if (key === before) return
    this.#kept.set(of, key)
    this.#inOrder(save).then(
      () => (this.#isDraftLost = false),
      (thrown: unknown) => {
        // It is not stored, so it is tried again with the next key and on leaving; saying so once is enough.
        if (this.#kept.get(of) === key) this.#kept.set(of, NOT_STORED)
        if (!this.#isDraftLost) this.onFailed(thrown)
        this.#isDraftLost = true
      },
    )
  }
}

const keyOf = (...parts: string[]): string => JSON.stringify(parts)

function isNothing(edit: Editing): boolean {
  return edit.written.text.trim() === '' || isUnchanged(edit)
}

function isUnchanged(edit: Editing): boolean {
  return encode(edit.written) === edit.base
}
