// Places in the tree: where a dragged or moved thing ends up, in the terms of the actions.
import type { Action, GroupView, TreeView } from '../api'

/** A gap between lines of the tree that something can be dropped into. */
export type Gap = { kind: 'topic'; group: string; after: string | null } | { kind: 'group'; after: string | null }

/** The action that puts a topic into a gap; null when it stays where it is. */
export function topicMove(tree: TreeView, topic: string, gap: Gap): Action | null {
  if (gap.kind !== 'topic' || gap.after === topic) return null
  const home = tree.groups.find((group) => group.topics.some((other) => other.id === topic))
  const index = home?.topics.findIndex((other) => other.id === topic) ?? -1
  if (home?.id === gap.group && (home.topics[index - 1]?.id ?? null) === gap.after) return null
  return { type: 'moveTopic', community: tree.id, topic, group: gap.group, after: gap.after }
}

/** The action that puts a group into a gap; null when it stays where it is. */
export function groupMove(tree: TreeView, group: string, gap: Gap): Action | null {
  if (gap.kind !== 'group' || gap.after === group) return null
  const index = tree.groups.findIndex((other) => other.id === group)
  if ((tree.groups[index - 1]?.id ?? null) === gap.after) return null
  return { type: 'moveGroup', community: tree.id, group, after: gap.after }
}

/** The gap one step up or down from where a topic is; over the edge of its group into the next one. */
export function topicStep(tree: TreeView, topic: string, step: -1 | 1): Gap | null {
  const at = tree.groups.findIndex((group) => group.topics.some((other) => other.id === topic))
  const home = tree.groups[at]
  if (!home) return null
  const index = home.topics.findIndex((other) => other.id === topic)
  const inHome = (after: string | undefined): Gap => ({ kind: 'topic', group: home.id, after: after ?? null })
  if (step === -1 && index > 0) return inHome(home.topics[index - 2]?.id)
  if (step === 1 && index < home.topics.length - 1) return inHome(home.topics[index + 1]?.id)
  const next = tree.groups[at + step]
  if (!next) return null
  return { kind: 'topic', group: next.id, after: step === -1 ? (next.topics.at(-1)?.id ?? null) : null }
}

/** The gap one step up or down from where a group is. */
export function groupStep(groups: readonly GroupView[], group: string, step: -1 | 1): Gap | null {
  const index = groups.findIndex((other) => other.id === group)
  if (step === -1) return index > 0 ? { kind: 'group', after: groups[index - 2]?.id ?? null } : null
  const next = groups[index + 1]
  return next ? { kind: 'group', after: next.id } : null
}
