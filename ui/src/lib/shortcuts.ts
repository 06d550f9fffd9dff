// Shortcuts of the window: by letter where the layout of the keyboard has it, and otherwise by place.

/** What the keyboard can ask of the window as a whole. */
export type Shortcut =
  | 'switcher'
  | 'settings'
  | 'shortcuts'
  | 'members'
  | 'region'
  | 'regionBefore'
  | 'previous'
  | 'next'
  | 'previousUnread'
  | 'nextUnread'
  | 'markRead'
  | 'markCommunityRead'
  | 'markUnread'

/** Whether keys are those of a Mac. */
export const isMac = (): boolean => /^(Mac|iP)/.test(navigator.platform)

/** The kind of system that the window is on. */
export const system = (): 'windows' | 'mac' | 'other' =>
  isMac() ? 'mac' : navigator.platform.startsWith('Win') ? 'windows' : 'other'

/** Signs that a shortcut is named by, and the places of their keys on the layout that most programs think of. */
const PLACES: Readonly<Record<string, string>> = { Comma: ',', Slash: '/', Equal: '+' }

/**
 * The letter or sign that a key stands for, in lower case: the layout's own, or on a layout without Latin letters, while
 * an input method is on, the one that stands at its place. None for what AltGr writes.
 */
export function letterOf(event: KeyboardEvent): string | null {
  if (event.getModifierState('AltGraph') || event.isComposing || event.keyCode === 229) return null
  if (/^[\x21-\x7e]$/.test(event.key)) return event.key.toLowerCase()
  // A key with a name (Enter, F6) stands for itself; ‘Dead’ and ‘Process’ stand for what they would have been.
  if ([...event.key].length !== 1 && !['Dead', 'Process', 'Unidentified'].includes(event.key)) return null
  return /^Key([A-Z])$/.exec(event.code)?.[1]?.toLowerCase() ?? PLACES[event.code] ?? null
}

/** The shortcut of a key, or null. Command stands for Control on a Mac, and Control for Alt beside a letter. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (event.isComposing || event.keyCode === 229 || event.getModifierState('AltGraph')) return null
  const mac = isMac()
  const isCommand = mac ? event.metaKey && !event.ctrlKey : event.ctrlKey && !event.metaKey
  if (isCommand && !event.altKey) {
    const letter = letterOf(event)
    // Some layouts have their signs above the figures.
    if (letter === '/') return 'shortcuts'
    if (letter === ',' && !event.shiftKey) return 'settings'
    if (letter === 'k' && !event.shiftKey) return 'switcher'
    if (letter === 'u' && !event.shiftKey) return 'members'
    return null
  }
  const isOther = mac ? event.ctrlKey && !event.altKey : event.altKey && !event.ctrlKey
  if (isOther && !event.metaKey) {
    const letter = letterOf(event)
    if (letter === 'r') return event.shiftKey ? 'markCommunityRead' : 'markRead'
    if (letter === 'u' && !event.shiftKey) return 'markUnread'
  }
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    if (event.key === 'ArrowUp') return event.shiftKey ? 'previousUnread' : 'previous'
    if (event.key === 'ArrowDown') return event.shiftKey ? 'nextUnread' : 'next'
  }
  if (event.key !== 'F6' || event.ctrlKey || event.altKey || event.metaKey) return null
  return event.shiftKey ? 'regionBefore' : 'region'
}

/** The keys of each shortcut as they are written on this computer. */
const KEYS: Readonly<Record<Shortcut, string>> = {
  switcher: 'Ctrl K',
  settings: 'Ctrl ,',
  shortcuts: 'Ctrl /',
  members: 'Ctrl U',
  region: 'F6',
  regionBefore: 'Shift F6',
  previous: 'Alt ↑',
  next: 'Alt ↓',
  previousUnread: 'Alt Shift ↑',
  nextUnread: 'Alt Shift ↓',
  markRead: 'Alt R',
  markCommunityRead: 'Alt Shift R',
  markUnread: 'Alt U',
}

/** The key that takes something away. Keyboards of portable Macs have only the one that deletes backwards. */
export const isDelete = ({ key }: KeyboardEvent): boolean => key === 'Delete' || key === 'Backspace'

/** Keys as they are written on this computer: `⌘K` on a Mac, `Ctrl K` elsewhere. */
export function keysAsWritten(keys: string): string {
  if (!isMac()) return keys
  return keys
    .replace(/^Alt (?=(?:Shift )?[A-Z]$)/, '⌃')
    .replace(/^Del(?:ete)?$/, '⌫')
    .replace('Ctrl ', '⌘')
    .replace('Alt ', '⌥')
    .replace('Shift ', '⇧')
}

/** The keys of a shortcut as they are written on this computer. */
export function keysOf(shortcut: Shortcut): string {
  return keysAsWritten(KEYS[shortcut])
}
