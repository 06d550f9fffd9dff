/** What the keyboard can ask of the window as a whole. */
export type Shortcut =
  'switcher' | 'settings' | 'shortcuts' | 'members' | 'rows' | 'previous' | 'next' | 'previousUnread' | 'nextUnread'

/** The shortcut of a key, or null. Command stands for Control on a Mac. */
export function shortcutOf(event: KeyboardEvent): Shortcut | null {
  if (event.isComposing || event.keyCode === 229) return null
  const control = event.ctrlKey || event.metaKey
  if (control && !event.altKey && !event.shiftKey) {
    switch (event.key.toLowerCase()) {
      case 'k':
        return 'switcher'
      case ',':
        return 'settings'
      case '/':
        return 'shortcuts'
      case 'u':
        return 'members'
      default:
        return null
    }
  }
  if (event.altKey && !control) {
    if (event.key === 'ArrowUp') return event.shiftKey ? 'previousUnread' : 'previous'
    if (event.key === 'ArrowDown') return event.shiftKey ? 'nextUnread' : 'next'
  }
  return event.key === 'F6' ? 'rows' : null
}
