// Which dialogs are open, the topmost last.
import type { GroupView, LinkView, Place, TopicView } from '../api'
import { giveFocus, standsIn } from '../lib/focus'
import type { Named } from './person.svelte'

export type SettingsPage = 'general' | 'account' | 'security' | 'server' | 'accounts'
export type AdminPage = 'overview' | 'groups' | 'access' | 'members' | 'invites'

export type Dialog =
  | { kind: 'add' }
  | { kind: 'host' }
  | { kind: 'join'; link: string; isAccount?: boolean }
  | { kind: 'createCommunity' }
  | { kind: 'createGroup' }
  | { kind: 'renameGroup'; group: GroupView }
  | { kind: 'createTopic'; group: string }
  | { kind: 'editTopic'; topic: TopicView }
  | { kind: 'seats'; topic: TopicView }
  | { kind: 'invite'; isNew?: boolean }
  | { kind: 'transfer'; account: string; community: string; name: string; ondone?: () => void }
  | { kind: 'admin'; page: AdminPage }
  | { kind: 'settings'; page?: SettingsPage; account?: string }
  | { kind: 'switcher' }
  | { kind: 'shortcuts' }
  | { kind: 'explain'; member: Named; topic: string | null }
  | { kind: 'restore'; path: string }
  | { kind: 'lost'; account: string }
  | { kind: 'signIn'; account: string }
  | { kind: 'relocate'; account: string }
  | { kind: 'link'; target: LinkView; open: () => void }
  | { kind: 'recoveryCodes'; account: string; codes: readonly string[]; then?: () => void }
  | {
      kind: 'confirm'
      title?: string
      text: string
      action: string
      typed?: string
      /** What can be done along with it; `run` is told whether it is wished. */
      also?: string
      run: (also: boolean) => Promise<unknown>
    }

/** A dialog that is open, and what was open behind it: that is what it is about, wherever the window goes meanwhile. */
export type OpenDialog = { id: number; dialog: Dialog; account: string; community: string }

export class Dialogs {
  open = $state.raw<OpenDialog[]>([])
  #next = 1

  constructor(private readonly place: () => Place | null) {}

  show(dialog: Dialog): void {
    if (this.open.some((other) => other.dialog.kind === dialog.kind)) return
    const { account = '', community = null } = this.place() ?? {}
    this.open = [...this.open, { id: this.#next, dialog, account, community: community ?? '' }]
    this.#next += 1
  }

  close(id: number): void {
    this.open = this.open.filter((other) => other.id !== id)
  }

  closeAll(): void {
    this.open = []
  }
}

/** What can be done about a notice while it is shown. */
export type ToastAction = { label: string; run: () => unknown }

/** A short notice at the top of the window. */
export type Toast = {
  id: number
  text: string
  isError: boolean
  action: ToastAction | null
  /** What it is about: a later notice of the same takes its place. */
  about: string | null
  /** Something cannot be done: nothing went wrong, and nothing was done. */
  isRefusal: boolean
}

/** How long a notice stays; one with something to do stays longer, and an error until it is closed. */
const SHOWN_MS = 4_000
const OFFERED_MS = 12_000
/** Notices at once; beyond that the oldest go, and an error only for another error. */
const AT_ONCE = 4

export class Toasts {
  shown = $state.raw<Toast[]>([])
  #next = 1
  readonly #ends = new Map<number, ReturnType<typeof setTimeout>>()

  /** What is said already is said anew, not twice. */
  show(
    text: string,
    isError = false,
    action: ToastAction | null = null,
    { about = null, isRefusal = false }: { about?: string | null; isRefusal?: boolean } = {},
  ): void {
    const toast = { id: this.#next, text, isError, action, about, isRefusal }
    this.#next += 1
    const isOver = (other: Toast): boolean => other.text === text || (about !== null && other.about === about)
    for (const other of this.shown.filter(isOver)) this.hold(other.id)
    const others = this.shown.filter((other) => !isOver(other))
    const more = others.length + 1 - AT_ONCE
    const passing = others.filter((other) => !other.isError)
    const errors = isError ? others.filter((other) => other.isError) : []
    const going = more > 0 ? [...passing, ...errors].slice(0, more) : []
    this.shown = [...others.filter((other) => !going.includes(other)), toast]
    for (const other of going) this.hold(other.id)
    this.letGo(toast.id)
  }

  /** Somebody is at a notice: it stays. */
  hold(id: number): void {
    clearTimeout(this.#ends.get(id))
    this.#ends.delete(id)
  }

  /** A notice goes after its time. */
  letGo(id: number): void {
    const toast = this.shown.find((other) => other.id === id)
    if (!toast || toast.isError) return
    this.hold(id)
    this.#ends.set(
      id,
      setTimeout(() => this.drop(id), toast.action ? OFFERED_MS : SHOWN_MS),
    )
  }

  drop(id: number): void {
    this.hold(id)
    this.shown = this.shown.filter((other) => other.id !== id)
  }
}

export type MenuItem =
  | {
      kind: 'item'
      label: string
      icon?: string
      key?: string
      isDanger?: boolean
      isChecked?: boolean
      /** One of several of which one holds. */
      isChosen?: boolean
      /** What should be known about it, below its name. */
      note?: string
      /** Why it cannot be chosen. */
      whyNot?: string
      run: () => void
    }
  | { kind: 'line' }
  /** Begins a part of the menu, and names it. */
  | { kind: 'title'; label: string }

/** Where a menu opens, in pixels of the window, and what was pressed for it. */
export type Spot = { x: number; y: number; from?: HTMLElement | undefined }

/** The pointer, or below the element when the keyboard asked. */
export function spotOf(at: MouseEvent | HTMLElement): Spot {
  const element = at instanceof HTMLElement ? at : at.currentTarget
  const from = element instanceof HTMLElement ? element : undefined
  if (at instanceof HTMLElement || (at.clientX === 0 && at.clientY === 0)) {
    const box = from?.getBoundingClientRect() ?? new DOMRect()
    return { x: box.left + 8, y: box.bottom + 2, from }
  }
  at.preventDefault()
  return { x: at.clientX, y: at.clientY, from }
}

export class Menus {
  shown = $state.raw<{ x: number; y: number; items: MenuItem[]; label: string } | null>(null)
  #returnTo: readonly (Element | null)[] = []

  openAt(at: MouseEvent | HTMLElement | Spot, items: MenuItem[], label: string): void {
    if (items.length === 0) return
    const { x, y, from } = at instanceof Event || at instanceof HTMLElement ? spotOf(at) : at
    // Not every web view gives the keyboard to what is pressed.
    this.#returnTo = [...standsIn(from), document.activeElement]
    this.shown = { x, y, items, label }
  }

  close(): void {
    if (!this.shown) return
    this.shown = null
    giveFocus(...this.#returnTo)
    this.#returnTo = []
  }
}
