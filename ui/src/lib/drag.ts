// Dragging lines of the tree with the pointer: which gap the pointer is over, and where its line is drawn.
import type { GroupView } from '../api'
import type { Gap } from './order'

/** The pointer moves this far before a press becomes a drag. */
export const DRAG_PX = 5

export type Dragged = { kind: 'topic' | 'group'; id: string }
export type Drop = { gap: Gap; y: number }

type Line = { kind: 'topic' | 'group'; id: string; top: number; bottom: number }

function linesOf(tree: HTMLElement): Line[] {
  return [...tree.querySelectorAll<HTMLElement>('[data-line]')].map((element) => {
    const box = element.getBoundingClientRect()
    return {
      kind: element.dataset.line === 'group' ? 'group' : 'topic',
      id: element.dataset.groupId ?? element.dataset.topicId ?? '',
      top: box.top,
      bottom: box.bottom,
    }
  })
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

/** Where a group would land. */
export function groupDrop(groups: readonly GroupView[], lines: readonly Line[], y: number): Drop | null {
  let best: Drop | null = null
  let distance = Infinity
  const heads = lines.filter((line) => line.kind === 'group')
  const offer = (after: string | null, at: number): void => {
    const far = Math.abs(y - at)
    if (far < distance) {
      distance = far
      best = { gap: { kind: 'group', after }, y: at }
    }
  }
  heads.forEach((line, index) => offer(index === 0 ? null : (heads[index - 1]?.id ?? null), line.top))
  const last = lines.at(-1)
  const lastGroup = groups.at(-1)
  if (last && lastGroup) offer(lastGroup.id, last.bottom)
  return best
}

export function dropAt(groups: readonly GroupView[], tree: HTMLElement, dragged: Dragged, y: number): Drop | null {
  const lines = linesOf(tree)
  return dragged.kind === 'topic' ? topicDrop(groups, lines, y) : groupDrop(groups, lines, y)
}
