// The selection in the rows of a timeline: where it begins and ends stays in the page, and what it copies reads well.
import type { MentionedView } from '../api'
import { copied } from '../lib/copied'
import { letterOf } from '../lib/shortcuts'
import { rowAt, selectRows } from '../lib/stops'
import type { Item } from '../lib/rows'
import { tick } from 'svelte'

export class RowSelection {
  /** The rows where it begins and ends, if it is in the rows. */
  keys = $state.raw<readonly string[]>([])

  constructor(
    private readonly frame: () => HTMLElement | undefined,
    private readonly items: () => readonly Item[],
    private readonly mentioned: () => readonly MentionedView[],
  ) {}

  /** The page's selection changed. */
  readonly look = (): void => {
    const selection = getSelection()
    const ends = selection && !selection.isCollapsed ? [selection.anchorNode, selection.focusNode] : []
    const rows = ends.map((node) => rowAt(node, this.frame())).filter((row) => row !== null)
    if (rows.join() !== this.keys.join()) this.keys = rows
  }

  readonly copy = (event: ClipboardEvent): void => {
    const selection = getSelection()
    const frame = this.frame()
    const text = selection && frame && copied(frame, selection, this.items(), this.mentioned())
    if (!text || !event.clipboardData) return
    event.clipboardData.setData('text/plain', text)
    event.preventDefault()
  }

  /** Ctrl+A takes all rows that are loaded, and nothing of the window around them. */
  readonly key = (event: KeyboardEvent): void => {
    if (!(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey || letterOf(event) !== 'a') return
    event.preventDefault()
    void this.#selectAll()
  }

  async #selectAll(): Promise<void> {
    const keys = this.items().flatMap((item) => (item.kind === 'message' ? [item.key] : []))
    const ends = [keys[0], keys.at(-1)].filter((key) => key !== undefined)
    this.keys = ends
    await tick()
    const frame = this.frame()
    if (frame) selectRows(frame, ends)
  }
}
