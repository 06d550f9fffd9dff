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

/** All rows in the page. */
export const rowsIn = (root: ParentNode): Iterable<HTMLElement> => root.querySelectorAll<HTMLElement>(ROW)

/** The rows that something came into, or that came themselves. */
export function rowsOf(records: readonly MutationRecord[]): Set<HTMLElement> {
  const rows = new Set<HTMLElement>()
  for (const { target, addedNodes } of records) {
    if (addedNodes.length === 0) continue
    const within = target instanceof Element ? target.closest<HTMLElement>(ROW) : null
    if (within) rows.add(within)
    else
      for (const node of addedNodes) {
        if (!(node instanceof HTMLElement)) continue
        if (node.matches(ROW)) rows.add(node)
        for (const row of rowsIn(node)) rows.add(row)
      }
  }
  return rows
}

/** The row in the page that belongs to a message. */
export function rowOf(root: HTMLElement, message: string | null): HTMLElement | null {
  return message === null ? null : root.querySelector<HTMLElement>(`[data-message-id="${CSS.escape(message)}"]`)
}

/** Of these rows, lets Tab stop in that of one message and in no other. */
export function setStops(rows: Iterable<HTMLElement | null>, message: string | null): void {
  for (const row of rows) {
    if (!row) continue
    const isStop = row.dataset.messageId === message
    for (const stop of row.querySelectorAll<HTMLElement>(STOPS)) {
      const own = isStop && !stop.matches(NEVER) ? 0 : -1
      if (stop.tabIndex !== own || !stop.hasAttribute('tabindex')) stop.tabIndex = own
    }
  }
}

/** Selects from the first row's beginning to the last one's end. */
export function selectRows(root: HTMLElement, ends: readonly string[]): void {
  const [first, last] = [ends[0], ends.at(-1)].map((key) => rowOf(root, key ?? null))
  if (first && last) getSelection()?.setBaseAndExtent(first, 0, last, last.childNodes.length)
}
