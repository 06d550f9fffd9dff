// The grid of an emoji picker as it is drawn, and how arrows walk through it.
import type { Emoji, Group } from './emoji'

const COLUMNS = 9

export type Cell = { key: string; name: string; emoji: Emoji | null }
type Section = { group: Group | 'recent' | 'found'; cells: readonly Cell[] }
/** A line of the grid; `from` is the place of its first cell among all. */
export type Row = { kind: 'title'; group: Section['group'] } | { kind: 'cells'; cells: Cell[]; from: number }

/** Each section below its title. */
export function rowsOf(sections: readonly Section[]): Row[] {
  const rows: Row[] = []
  let from = 0
  for (const { group, cells } of sections) {
    rows.push({ kind: 'title', group })
    for (let at = 0; at < cells.length; at += COLUMNS) {
      const part = cells.slice(at, at + COLUMNS)
      rows.push({ kind: 'cells', cells: part, from })
      from += part.length
    }
  }
  return rows
}

/** The row that a cell stands in. */
export function rowOf(rows: readonly Row[], cell: number): number {
  return rows.findIndex((row) => row.kind === 'cells' && cell >= row.from && cell < row.from + row.cells.length)
}

/** Where an arrow leads from a cell; null for other keys. A row may be shorter than the one above. */
export function step(rows: readonly Row[], cell: number, key: string): number | null {
  const at = rowOf(rows, cell)
  const row = rows[at]
  if (row?.kind !== 'cells') return null
  const isLine = (other: Row): boolean => other.kind === 'cells'
  const near = key === 'ArrowDown' ? rows.slice(at + 1).find(isLine) : rows.slice(0, at).reverse().find(isLine)
  const last = rows.at(-1)
  switch (key) {
    case 'ArrowRight':
      return last?.kind === 'cells' ? Math.min(cell + 1, last.from + last.cells.length - 1) : cell
    case 'ArrowLeft':
      return Math.max(cell - 1, 0)
    case 'ArrowDown':
    case 'ArrowUp':
      if (near?.kind !== 'cells') return cell
      return near.from + Math.min(cell - row.from, near.cells.length - 1)
    default:
      return null
  }
}
