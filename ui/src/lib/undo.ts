// Undoing in a field by key. Not every web view has a key for it (WebKitGTK has none), but each can undo.

import { letterOf } from './shortcuts'

/** What a key asks for: Ctrl or ⌘ with Z, with Shift or as Y to redo. By place where the layout has no Latin letters. */
export function undoOf(event: KeyboardEvent): 'undo' | 'redo' | null {
  if (event.altKey || !(event.ctrlKey || event.metaKey)) return null
  const letter = letterOf(event)
  if (letter === 'z') return event.shiftKey ? 'redo' : 'undo'
  return letter === 'y' && !event.shiftKey ? 'redo' : null
}
