import type { Attachment } from 'svelte/attachments'

/** Moves an element to the page's end, over everything: a contained element would cut off what floats above it. */
export const portal: Attachment<HTMLElement> = (element) => {
  const focused = document.activeElement
  document.body.append(element)
  // What is moved loses the keyboard.
  if (focused instanceof HTMLElement && element.contains(focused)) focused.focus()
  return () => element.remove()
}
