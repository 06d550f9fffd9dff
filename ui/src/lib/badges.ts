// Numbers that were read by themselves, put into the views that show them.
import type { AppView, BadgesView, TreeView } from '../api'

export function inApp(view: AppView, account: string, community: string, read: BadgesView): AppView {
  const accounts = view.accounts.map((one) => {
    if (one.key !== account) return one
    const communities = one.communities.map((tile) =>
      tile.id === community ? { ...tile, badge: read.community } : tile,
    )
    return { ...one, communities }
  })
  return { ...view, accounts, badge: read.app }
}

export function inTree(tree: TreeView, read: BadgesView): TreeView {
  const sums = new Map(read.groups.map(({ id, badge }) => [id, badge]))
  const numbers = new Map(read.topics.map((one) => [one.id, one]))
  const groups = tree.groups.map((group) => {
    const badge = sums.get(group.id)
    if (!badge) return group
    const topics = group.topics.map((topic) => {
      const read = numbers.get(topic.id)
      return read ? { ...topic, badge: read.badge, hasDraft: read.hasDraft, hasFailed: read.hasFailed } : topic
    })
    return { ...group, badge, topics }
  })
  return { ...tree, groups }
}
