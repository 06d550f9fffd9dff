// Rows of the timeline in the page: whose they are, what Tab reaches in them, and how they are selected.

const ROW = '[data-message-id]'
/** What Tab would stop at. Tools and doubles are for the pointer only. */
const STOPS = 'a[href], button, [tabindex]'
const NEVER = '[role=toolbar] *, [aria-hidden=true], [aria-hidden=true] *, [inert] *'

/** The row that something is in. */
export function rowAt(node: Node | null, root: HTMLElement | undefined): string | null {
  const element = node instanceof Element ? node : node?.parentElement
  const row = element?.closest<HTMLElement>(ROW)
  return row && root?.contains(row) ? (row.dataset.messageId ?? null) : null
}

/** Lets Tab stop in one row and in no other. */
export function setStops(root: HTMLElement, row: string | null): void {
  for (const element of root.querySelectorAll<HTMLElement>(ROW)) {
    const to = element.dataset.messageId === row ? 0 : -1
    for (const stop of element.querySelectorAll<HTMLElement>(STOPS)) {
      const own = stop.matches(NEVER) ? -1 : to
      if (stop.tabIndex !== own || !stop.hasAttribute('tabindex')) stop.tabIndex = own
    }
  }
}

/** Selects from the first row's beginning to the last one's end. */
export function selectRows(root: HTMLElement, ends: readonly string[]): void {
  const [first, last] = [ends[0], ends.at(-1)].map((key) =>
    key === undefined ? null : root.querySelector<HTMLElement>(`[data-message-id="${CSS.escape(key)}"]`),
  )
  if (first && last) getSelection()?.setBaseAndExtent(first, 0, last, last.childNodes.length)
}
