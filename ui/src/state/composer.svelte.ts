// What is being written in the open topic: text, reply, edit, draft.
import type { Api, DraftView, MessageView } from '../api'
import { MESSAGE_BYTES, bytesOf } from '../lib/bytes'
import { i18n } from '../i18n.svelte'
import { decodeMentions, encodeMentions, namesIn } from '../lib/mentions'
import { rememberName, rememberedNames } from './names'

/** A draft is stored this long after the last key. */
const DRAFT_MS = 250

/** No draft is like this one, so whatever is written differs from it. */
const NOT_STORED: DraftView = { text: '\0', replyTo: null }

export type Quoted = { id: string; author: string }

export class ComposerState {
  readonly #names = new Map<string, string>(rememberedNames())
  text = $state('')
  reply = $state.raw<Quoted | null>(null)
  editing = $state.raw<MessageView | null>(null)
  /** Asks the input to take the keyboard. */
  focusAsked = $state(0)
  /** What would be sent: mentions are longer there than in the input. */
  readonly bytes = $derived(bytesOf(encodeMentions(this.text, this.#names).trim().normalize('NFC')))
  readonly isTooLong = $derived(this.bytes > MESSAGE_BYTES)
  readonly canSend = $derived(this.text.trim() !== '' && !this.isTooLong)

  #stored: DraftView = { text: '', replyTo: null }
  #isRestored = false
  #isDraftLost = false
  #timer: ReturnType<typeof setTimeout> | null = null
  /** What was being written before an edit began. */
  #beforeEdit: { text: string; reply: Quoted | null } | null = null

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly topic: string,
    private readonly onFailed: (thrown: unknown) => void,
  ) {}

  /** Puts the stored draft into the input, once, and only if nothing was written meanwhile. */
  restore(draft: DraftView, find: (id: string) => MessageView | undefined): void {
    if (this.#isRestored) return
    this.#isRestored = true
    this.#stored = draft
    if (this.text !== '') return
    this.text = this.#shown(draft.text)
    if (draft.replyTo !== null) {
      this.reply = { id: draft.replyTo, author: find(draft.replyTo)?.author.name ?? '' }
    }
  }

  write(text: string): void {
    this.text = text
    this.#draftSoon()
  }

  addName(id: string, name: string): void {
    this.#names.set(id, name)
    rememberName(id, name)
  }

  startReply(message: MessageView): void {
    this.cancelEdit()
    this.reply = { id: message.id, author: message.author.name }
    this.focusAsked += 1
    this.#draftSoon()
  }

  cancelReply(): void {
    this.reply = null
    this.#draftSoon()
  }

  startEdit(message: MessageView): void {
    if (!this.editing) this.#beforeEdit = { text: this.text, reply: this.reply }
    for (const [id, name] of namesIn(message.blocks)) this.#names.set(id, name)
    this.editing = message
    this.reply = null
    this.text = this.#shown(message.text)
    this.focusAsked += 1
  }

  cancelEdit(): void {
    if (!this.editing) return
    this.editing = null
    this.text = this.#beforeEdit?.text ?? ''
    this.reply = this.#beforeEdit?.reply ?? null
    this.#beforeEdit = null
  }

  /** Sends or saves. The text leaves the input when the program has it safe on disk, and comes back if it does not. */
  async send(): Promise<boolean> {
    if (!this.canSend) return false
    const text = encodeMentions(this.text, this.#names).trim()
    if (this.editing) {
      const message = this.editing
      this.cancelEdit()
      if (text === message.text) return true
      return this.#try(() =>
        this.api.submit(this.account, { type: 'editMessage', topic: this.topic, message: message.id, text }),
      )
    }
    const written = this.text
    const reply = this.reply
    this.text = ''
    this.reply = null
    this.#stopTimer()
    this.#stored = { text: '', replyTo: null }
    const isSent = await this.#try(() =>
      this.api.submit(this.account, { type: 'sendMessage', topic: this.topic, text, replyTo: reply?.id ?? null }),
    )
    if (!isSent) {
      this.text = this.text === '' ? written : `${written}\n${this.text}`
      this.reply ??= reply
      this.#draftSoon()
    }
    return isSent
  }

  /** The topic is left: the draft is stored at once. */
  leave(): void {
    this.cancelEdit()
    this.#stopTimer()
    this.#store()
  }

  /** The text as it is shown while writing. */
  #shown(text: string): string {
    if (text.includes('<@everyone>')) this.#names.set('everyone', i18n.t.everyone)
    return decodeMentions(text, this.#names)
  }

  async #try(act: () => Promise<unknown>): Promise<boolean> {
    try {
      await act()
      return true
    } catch (thrown) {
      this.onFailed(thrown)
      return false
    }
  }

  #draftSoon(): void {
    if (this.editing) return
    this.#isRestored = true
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
    if (!this.#isRestored) return
    const draft = { text: encodeMentions(this.text, this.#names), replyTo: this.reply?.id ?? null }
    if (draft.text === this.#stored.text && draft.replyTo === this.#stored.replyTo) return
    this.#stored = draft
    this.api.saveDraft(this.account, this.topic, draft).then(
      () => (this.#isDraftLost = false),
      (thrown: unknown) => {
        // It is not stored, so it is tried again with the next key and on leaving; saying so once is enough.
        if (this.#stored === draft) this.#stored = NOT_STORED
        if (!this.#isDraftLost) this.onFailed(thrown)
        this.#isDraftLost = true
      },
    )
  }
}
