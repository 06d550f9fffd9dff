// Dragging lines of the tree with the pointer: which gap the pointer is over, and where its line is drawn.
import type { GroupView } from '../api'
import type { Gap } from './order'

/** The pointer moves this far before a press becomes a drag. */
export const DRAG_PX = 5

export type Dragged = { kind: 'topic' | 'group'; id: string }
export type Drop = { gap: Gap; y: number }

type Line = { kind: 'topic' | 'group'; id: string; top: number; bottom: number }

/** The lines in view, from the top. */
function linesOf(tree: HTMLElement): Line[] {
  const view = tree.getBoundingClientRect()
  return [...tree.querySelectorAll<HTMLElement>('[data-line]')]
    .map((element): Line => {
      const box = element.getBoundingClientRect()
      return {
        kind: element.dataset.line === 'group' ? 'group' : 'topic',
        id: element.dataset.lineId ?? '',
        top: box.top,
        bottom: box.bottom,
      }
    })
    .filter((line) => line.bottom >= view.top && line.top <= view.bottom)
    .sort((a, b) => a.top - b.top)
}

/** Where a topic would land. */
export function topicDrop(groups: readonly GroupView[], lines: readonly Line[], y: number): Drop | null {
  let best: Drop | null = null
  let distance = Infinity
  const offer = (gap: Gap, at: number): void => {
    const far = Math.abs(y - at)
    if (far < distance) {
      distance = far
      best = { gap, y: at }
    }
  }
  for (const line of lines) {
    if (line.kind === 'group') {
      offer({ kind: 'topic', group: line.id, after: null }, line.bottom)
    } else {
      const group = groups.find((other) => other.topics.some((topic) => topic.id === line.id))
      if (group) offer({ kind: 'topic', group: group.id, after: line.id }, line.bottom)
    }
  }
  return best
}

/** Where a group would land; `end` is the last line of the whole tree, below which the last gap is. */
export function groupDrop(
  groups: readonly GroupView[],
  end: string | undefined,
  lines: readonly Line[],
  y: number,
): Drop | null {
  let best: Drop | null = null
  let distance = Infinity
  const offer = (after: string | null, at: number): void => {
    const far = Math.abs(y - at)
    if (far < distance) {
      distance = far
      best = { gap: { kind: 'group', after }, y: at }
    }
  }
  for (const line of lines) {
    const index = groups.findIndex((group) => group.id === line.id)
    if (index >= 0) offer(groups[index - 1]?.id ?? null, line.top)
  }
  const last = lines.at(-1)
  const lastGroup = groups.at(-1)
  if (last && lastGroup && last.id === end) offer(lastGroup.id, last.bottom)
  return best
}

export function dropAt(
  groups: readonly GroupView[],
  end: string | undefined,
  tree: HTMLElement,
  dragged: Dragged,
  y: number,
): Drop | null {
  const lines = linesOf(tree)
  return dragged.kind === 'topic' ? topicDrop(groups, lines, y) : groupDrop(groups, end, lines, y)
}
