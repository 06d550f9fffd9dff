// Which dialogs are open, the topmost last.
import type { GroupView, MemberView, TopicView } from '../api'

export type AdminPage = 'overview' | 'groups' | 'access' | 'members' | 'invites'

export type Dialog =
  | { kind: 'add' }
  | { kind: 'host' }
  | { kind: 'join'; link: string }
  | { kind: 'createCommunity' }
  | { kind: 'createGroup' }
  | { kind: 'renameGroup'; group: GroupView }
  | { kind: 'createTopic'; group: string }
  | { kind: 'editTopic'; topic: TopicView }
  | { kind: 'seats'; topic: TopicView }
  | { kind: 'invite' }
  | { kind: 'transfer'; account: string; community: string; name: string; ondone?: () => void }
  | { kind: 'admin'; page: AdminPage }
  | { kind: 'settings'; page?: 'server' }
  | { kind: 'switcher' }
  | { kind: 'shortcuts' }
  | { kind: 'explain'; member: Pick<MemberView, 'id' | 'name'>; topic: string | null }
  | { kind: 'restore'; path: string }
  | { kind: 'lost'; account: string }
  | { kind: 'signIn'; account: string }
  | { kind: 'relocate'; account: string }
  | { kind: 'security'; account: string }
  | { kind: 'recoveryCodes'; account: string; codes: readonly string[] }
  | { kind: 'confirm'; text: string; action: string; typed?: string; run: () => Promise<unknown> }

export class Dialogs {
  open = $state.raw<{ id: number; dialog: Dialog }[]>([])
  #next = 1

  show(dialog: Dialog): void {
    if (this.open.some((other) => other.dialog.kind === dialog.kind)) return
    this.open = [...this.open, { id: this.#next, dialog }]
    this.#next += 1
  }

  close(id: number): void {
    this.open = this.open.filter((other) => other.id !== id)
  }

  closeAll(): void {
    this.open = []
  }
}

/** A short notice at the top of the window. */
export type Toast = { id: number; text: string; isError: boolean }

export class Toasts {
  shown = $state.raw<Toast[]>([])
  #next = 1

  /** What is said already is said anew, not twice. */
  show(text: string, isError = false): void {
    const toast = { id: this.#next, text, isError }
    this.#next += 1
    this.shown = [...this.shown.filter((other) => other.text !== text).slice(-2), toast]
    setTimeout(() => this.drop(toast.id), isError ? 8_000 : 3_000)
  }

  drop(id: number): void {
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
      run: () => void
    }
  | { kind: 'line' }
  | { kind: 'title'; label: string }

/** Where a menu opens, in pixels of the window. */
export type Spot = { x: number; y: number }

/** The pointer, or below the element when the keyboard asked. */
export function spotOf(at: MouseEvent | HTMLElement): Spot {
  if (at instanceof HTMLElement || (at.clientX === 0 && at.clientY === 0)) {
    const element = at instanceof HTMLElement ? at : at.currentTarget
    const box = element instanceof HTMLElement ? element.getBoundingClientRect() : new DOMRect()
    return { x: box.left + 8, y: box.bottom + 2 }
  }
  at.preventDefault()
  return { x: at.clientX, y: at.clientY }
}

export class Menus {
  shown = $state.raw<{ x: number; y: number; items: MenuItem[]; label: string } | null>(null)
  #returnTo: HTMLElement | null = null

  openAt(at: MouseEvent | HTMLElement | Spot, items: MenuItem[], label: string): void {
    if (items.length === 0) return
    this.#returnTo = document.activeElement instanceof HTMLElement ? document.activeElement : null
    const { x, y } = at instanceof Event || at instanceof HTMLElement ? spotOf(at) : at
    this.shown = { x, y, items, label }
  }

  close(): void {
    if (!this.shown) return
    this.shown = null
    this.#returnTo?.focus()
    this.#returnTo = null
  }
}
