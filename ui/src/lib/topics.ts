import type { Badge, TopicView, TreeView } from '../api'

export function topicsOf(tree: TreeView): TopicView[] {
  return tree.groups.flatMap((group) => group.topics)
}

export function findTopic(tree: TreeView | null, topic: string | null): TopicView | undefined {
  return topic === null || !tree ? undefined : topicsOf(tree).find((other) => other.id === topic)
}

export function isUnread(badge: Badge): boolean {
  return badge.unread > 0 || badge.mentions > 0 || badge.hasDot
}

/** The topic before or behind another one, in a circle; only unread ones if asked. */
export function neighbour(
  tree: TreeView,
  topic: string | null,
  step: -1 | 1,
  onlyUnread: boolean,
): TopicView | undefined {
  const topics = topicsOf(tree).filter((other) => !other.isLocked)
  const at = topics.findIndex((other) => other.id === topic)
  for (let n = 1; n <= topics.length; n += 1) {
    const index = at < 0 ? (step === 1 ? n - 1 : topics.length - n) : at + step * n
    const other = topics[((index % topics.length) + topics.length) % topics.length]
    if (other && other.id !== topic && (!onlyUnread || isUnread(other.badge))) return other
  }
  return undefined
}
