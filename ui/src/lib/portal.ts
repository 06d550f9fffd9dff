import type { Attachment } from 'svelte/attachments'

/**
 * Moves an element to the topmost open dialog, or to the page: a modal dialog covers everything outside it, and a
 * contained element would cut off what floats above it.
 */
export const portal: Attachment<HTMLElement> = (element) => {
  const dialogs = document.querySelectorAll('dialog[open]')
  const home = dialogs.item(dialogs.length - 1) ?? document.body
  const focused = document.activeElement
  home.append(element)
  // What is moved loses the keyboard.
  if (focused instanceof HTMLElement && element.contains(focused)) focused.focus()
  return () => element.remove()
}
