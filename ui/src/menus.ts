// The menus of things: what can be done with a community, a group, a topic, a message, a member.
import type {
  GroupView,
  LevelView,
  MemberView,
  MessageAction,
  MessageView,
  PersonView,
  TopicView,
  TreeView,
} from './api'
import { knownBy } from './components/named'
import { i18n } from './i18n.svelte'
import { typedText } from './lib/copied'
import { levelItem, readLevel } from './levels'
import { isUnread } from './lib/topics'
import { keysAsWritten, keysOf } from './lib/shortcuts'
import { groupMove, groupStep, topicMove, topicStep, type Gap } from './lib/order'
import { spotOf, type Dialog, type MenuItem, type Spot } from './state/dialogs.svelte'
import { minding, move } from './state/lockout'
import type { WindowState } from './state/window.svelte'

type Item = Extract<MenuItem, { kind: 'item' }>
const item = (label: string, icon: string, run: () => void, more: Partial<Item> = {}): MenuItem => ({
  kind: 'item',
  label,
  icon,
  run,
  ...more,
})
const line: MenuItem = { kind: 'line' }

/** Drops lines at the ends and doubled ones. */
function tidy(items: (MenuItem | false)[]): MenuItem[] {
  const kept = items.filter((one): one is MenuItem => one !== false)
  return kept.filter(
    (one, at) => one.kind !== 'line' || (at > 0 && at < kept.length - 1 && kept[at - 1]?.kind !== 'line'),
  )
}

/** The level is read before a menu opens, so that it says what holds. */
export async function openCommunityMenu(window: WindowState, at: MouseEvent | HTMLElement | Spot): Promise<void> {
  const spot = at instanceof Event || at instanceof HTMLElement ? spotOf(at) : at
  const community = window.tree?.community
  if (community === undefined) return
  const level = await readLevel(window, { at: 'community', community })
  window.menus.openAt(spot, communityMenu(window, spot, level), i18n.t.tree.menu)
}

export async function openGroupMenu(
  window: WindowState,
  at: MouseEvent | HTMLElement,
  group: GroupView,
): Promise<void> {
  const spot = spotOf(at)
  const community = window.tree?.community
  if (community === undefined) return
  const level = await readLevel(window, { at: 'group', community, group: group.id })
  window.menus.openAt(spot, groupMenu(window, group, spot, level), group.name)
}

export async function openTopicMenu(
  window: WindowState,
  at: MouseEvent | HTMLElement,
  topic: TopicView,
): Promise<void> {
  const spot = spotOf(at)
  const community = window.tree?.community
  if (community === undefined) return
  const level = await readLevel(window, { at: 'topic', community, topic: topic.id })
  window.menus.openAt(spot, topicMenu(window, topic, spot, level), topic.name)
}

function communityMenu(window: WindowState, at: Spot, level: LevelView | null): MenuItem[] {
  const tree = window.tree?.view
  const account = window.place?.account
  if (!tree || !account) return []
  const t = i18n.t.community
  const may = (permission: string): boolean => tree.permissions.includes(permission)
  const rules = ['manageCommunity', 'manageMemberGroups', 'manageTopics', 'assignMemberGroups', 'invite']
  return tidy([
    may('invite') && item(t.invite, 'link', () => window.dialogs.show({ kind: 'invite' })),
    may('manageTopics') &&
      tree.groups[0] !== undefined &&
      item(i18n.t.tree.newTopic, 'plus', () => {
        const group = tree.groups.find((one) => one.topics.some((topic) => topic.id === window.place?.topic))
        window.dialogs.show({ kind: 'createTopic', group: (group ?? tree.groups[0])?.id ?? '' })
      }),
    may('manageTopics') && item(t.newGroup, 'plus', () => window.dialogs.show({ kind: 'createGroup' })),
    line,
    item(
      i18n.t.read.community,
      'check',
      () => void window.marking.read(account, { at: 'community', community: tree.id }),
      {
        key: keysOf('markCommunityRead'),
      },
    ),
    item(i18n.t.read.all, 'check', () => void window.marking.readAll()),
    line,
    rules.some(may) &&
      item(t.settings, 'gear', () =>
        window.dialogs.show({ kind: 'admin', page: may('manageCommunity') ? 'overview' : 'groups' }),
      ),
    line,
    ...levelItem(window, { at: 'community', community: tree.id }, level, tree.name, at),
    line,
    !tree.isOwner &&
      item(t.leave, 'leave', () => window.dialogs.show(leaveDialog(window, account, tree)), { isDanger: true }),
    tree.isOwner &&
      item(
        i18n.t.transfer.action,
        'key',
        () => window.dialogs.show({ kind: 'transfer', account, community: tree.id, name: tree.name }),
        { isDanger: true },
      ),
    tree.isOwner &&
      item(t.dissolve, 'trash', () => window.dialogs.show(dissolveDialog(window, account, tree)), { isDanger: true }),
  ])
}

/** Asks before a community is left. */
export function leaveDialog(window: WindowState, account: string, { id, name }: TreeView): Dialog {
  return {
    kind: 'confirm',
    text: i18n.t.community.leaveSure(name),
    action: i18n.t.community.leave,
    run: () => window.remove(account, id, { type: 'leaveCommunity', community: id }),
  }
}

/** Asks before a community is dissolved; its name has to be typed. */
export function dissolveDialog(window: WindowState, account: string, { id, name }: TreeView): Dialog {
  return {
    kind: 'confirm',
    text: i18n.t.community.dissolveSure(name),
    action: i18n.t.community.dissolve,
    typed: name,
    run: () => window.remove(account, id, { type: 'dissolveCommunity', community: id }),
  }
}

function groupMenu(window: WindowState, group: GroupView, at: Spot, level: LevelView | null): MenuItem[] {
  const tree = window.tree?.view
  const account = window.place?.account
  if (!tree || !account) return []
  const t = i18n.t.tree
  const may = group.permissions.includes('manageTopics') || tree.permissions.includes('manageTopics')
  const step = (to: Gap | null): (() => void) | null => {
    const action = to && groupMove(tree, group.id, to)
    return action ? () => void window.act(action) : null
  }
  const up = step(groupStep(tree.groups, group.id, -1))
  const down = step(groupStep(tree.groups, group.id, 1))
  return tidy([
    may && item(t.newTopic, 'plus', () => window.dialogs.show({ kind: 'createTopic', group: group.id })),
    may && item(t.renameGroup, 'pencil', () => window.dialogs.show({ kind: 'renameGroup', group })),
    may && up !== null && item(t.moveUp, 'arrowUp', up, { key: keysAsWritten('Alt ↑') }),
    may && down !== null && item(t.moveDown, 'arrowDown', down, { key: keysAsWritten('Alt ↓') }),
    line,
    hasUnread(group.topics) &&
      item(
        i18n.t.read.group,
        'check',
        () => void window.marking.read(account, { at: 'group', community: tree.id, group: group.id }),
      ),
    ...levelItem(window, { at: 'group', community: tree.id, group: group.id }, level, group.name, at),
    line,
    item(t.collapseAll, 'right', () => window.set({ collapse: tree.groups.map((one) => one.id) })),
    item(t.expandAll, 'down', () => window.set({ expand: tree.groups.map((one) => one.id) })),
    line,
    may &&
      item(
        t.deleteGroup,
        'trash',
        () =>
          window.dialogs.show({
            kind: 'confirm',
            text: t.deleteGroupSure(group.name),
            action: i18n.t.delete,
            run: () => window.api.submit(account, { type: 'deleteGroup', community: tree.id, group: group.id }),
          }),
        { isDanger: true, ...(group.topics.length > 0 ? { whyNot: t.groupIsFull } : {}) },
      ),
  ])
}

const hasUnread = (topics: readonly TopicView[]): boolean => topics.some((topic) => isUnread(topic.badge))

function topicMenu(window: WindowState, topic: TopicView, at: Spot, level: LevelView | null): MenuItem[] {
  const tree = window.tree?.view
  const account = window.place?.account
  if (!tree || !account) return []
  const t = i18n.t.tree
  const may = topic.canManage
  const step = (to: Gap | null): (() => void) | null => {
    const action = to && topicMove(tree, topic.id, to)
    return action ? () => void move(window, action) : null
  }
  const up = step(topicStep(tree, topic.id, -1))
  const down = step(topicStep(tree, topic.id, 1))
  return tidy([
    may && item(t.editTopic, 'pencil', () => window.dialogs.show({ kind: 'editTopic', topic })),
    may && topic.isClosed && item(t.seats, 'people', () => window.dialogs.show({ kind: 'seats', topic })),
    may && up !== null && item(t.moveUp, 'arrowUp', up, { key: keysAsWritten('Alt ↑') }),
    may && down !== null && item(t.moveDown, 'arrowDown', down, { key: keysAsWritten('Alt ↓') }),
    line,
    isUnread(topic.badge)
      ? item(
          t.markRead,
          'check',
          () => void window.marking.read(account, { at: 'topic', community: tree.id, topic: topic.id }),
          { key: keysOf('markRead') },
        )
      : !topic.isLocked &&
        item(t.markUnread, 'unread', () => void window.marking.unread(account, topic.id), {
          key: keysOf('markUnread'),
        }),
    ...(topic.isLocked
      ? []
      : levelItem(window, { at: 'topic', community: tree.id, topic: topic.id }, level, topic.name, at)),
    line,
    may &&
      item(
        t.deleteTopic,
        'trash',
        () =>
          window.dialogs.show({
            kind: 'confirm',
            text: t.deleteTopicSure(topic.name),
            action: i18n.t.delete,
            run: () => window.remove(account, topic.id, { type: 'deleteTopic', community: tree.id, topic: topic.id }),
          }),
        { isDanger: true },
      ),
  ])
}

export function messageMenu(
  window: WindowState,
  message: MessageView,
  pick: () => void,
  person: () => void,
): MenuItem[] {
  const t = i18n.t.timeline
  const timeline = window.timeline
  const topic = timeline?.topic
  if (!timeline || topic === undefined) return []
  const may = (action: MessageAction): boolean => message.actions.includes(action)
  const seq = message.seq
  return tidy([
    { kind: 'title', label: i18n.full(message.sentAt) },
    may('react') && item(t.react, 'smile', pick, { key: '+' }),
    may('reply') && item(t.reply, 'reply', () => window.composer?.startReply(message), { key: 'R' }),
    may('edit') && item(t.edit, 'pencil', () => window.composer?.startEdit(message), { key: 'E' }),
    may('pin') &&
      item(
        message.isPinned ? t.unpin : t.pin,
        'pin',
        () => void window.act({ type: 'pin', topic, message: message.id, on: !message.isPinned }),
        { key: 'P' },
      ),
    message.recalled === null &&
      item(t.copyText, 'copy', () => void window.copy(typedText(message, timeline.view?.mentioned ?? []))),
    seq !== null && item(t.markUnread, 'unread', () => void window.marking.unread(timeline.account, topic, seq)),
    line,
    timeline.view?.community != null && item(t.person(i18n.someone(message.author)), 'user', person),
    line,
    may('recall') &&
      item(t.recall, 'trash', () => confirmRecall(window, message), { isDanger: true, key: keysAsWritten('Del') }),
  ])
}

export function confirmRecall(window: WindowState, message: MessageView): void {
  const timeline = window.timeline
  if (!timeline) return
  window.dialogs.show({
    kind: 'confirm',
    text: i18n.t.timeline.recallSure,
    action: i18n.t.timeline.recall,
    run: () =>
      window.api.submit(timeline.account, { type: 'recallMessage', topic: timeline.topic, message: message.id }),
  })
}

export async function memberMenu(window: WindowState, member: MemberView): Promise<MenuItem[]> {
  const tree = window.tree?.view
  const account = window.place?.account
  if (!tree || !account) return []
  const t = i18n.t.members
  const groups = member.canAssign
    ? ((await window.api.accessView(account, tree.id).catch(() => null))?.memberGroups ?? []).filter(
        (group) => group.id !== 'everyone' && group.canAssign,
      )
    : []
  return tidy([
    window.composer !== null && !member.isMe && item(t.mention, 'user', () => mention(window, member)),
    item(t.explain, 'question', () =>
      window.dialogs.show({ kind: 'explain', member: knownBy(member), topic: window.place?.topic ?? null }),
    ),
    line,
    groups.length > 0 && { kind: 'title', label: t.groups },
    ...groups.map((group) => {
      const isIn = member.memberGroups.includes(group.id)
      return item(
        group.name,
        '',
        () => {
          const change = { community: tree.id, member: member.id, memberGroup: group.id, on: !isIn }
          const action = { type: 'assignMemberGroup', ...change } as const
          const run = () => window.api.submit(account, action)
          void window.run(minding(window, account, tree.id, action, run))
        },
        { isChecked: isIn },
      )
    }),
    line,
    member.canKick &&
      item(
        t.kick,
        'leave',
        () =>
          window.dialogs.show({
            kind: 'confirm',
            text: t.kickSure(i18n.someone(member)),
            action: t.kick,
            also: tree.permissions.includes('invite') ? t.kickInvites : undefined,
            run: (endsInvites) =>
              window.api.submit(account, { type: 'kick', community: tree.id, member: member.id, endsInvites }),
          }),
        { isDanger: true },
      ),
  ])
}

/** What can be done with the person of a card, beside what stands on it. */
export async function personMenu(window: WindowState, person: PersonView): Promise<MenuItem[]> {
  const t = i18n.t.person
  const items = person.member ? await memberMenu(window, person.member) : []
  const { accountName } = person
  return tidy([
    item(t.copyName, 'copy', () => void window.copy(i18n.person(person.name))),
    accountName !== '' && item(t.copyAccount, 'copy', () => void window.copy(accountName)),
    line,
    ...items,
  ])
}

/** Writes a mention of a member into the composer. */
export function mention(window: WindowState, member: MemberView): void {
  window.composer?.mention(member.id, member.name)
}
