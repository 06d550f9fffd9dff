// Made-up views for tests and stories.
import type {
  AccountView,
  AppView,
  Badge,
  Block,
  MemberView,
  MessageView,
  PermissionView,
  RightsLine,
  SecurityView,
  Settings,
  TimelineView,
  TopicView,
  TreeView,
} from '../api'

export const NO_BADGE: Badge = { unread: 0, mentions: 0, hasDot: false }

export const settings = (more: Partial<Settings> = {}): Settings => ({
  language: 'zh-CN',
  theme: 'light',
  textSize: 100,
  stays: false,
  startsClosed: false,
  recentEmoji: [],
  skinTone: 'none',
  historyMib: 2048,
  showsMembers: true,
  collapsed: [],
  ...more,
})

export const account = (more: Partial<AccountView> = {}): AccountView => ({
  key: 's1.me',
  accountId: 'me',
  name: 'solstice',
  displayName: '夏至',
  serverName: '夏至的服务器',
  address: 'ws://127.0.0.1:4780',
  isHostedHere: true,
  isServerAdmin: true,
  connection: { state: 'synced' },
  kept: 'settled',
  disk: 'plenty',
  clock: 'right',
  ahead: null,
  lost: [],
  store: { file: '/home/me/tulou/accounts/s1.me.sqlite', trouble: null, aside: null },
  waiting: 0,
  rejected: [],
  stranded: [],
  mentioned: [],
  coming: 0,
  communities: [],
  ...more,
})

export const appView = (more: Partial<AppView> = {}): AppView => ({
  accounts: [account()],
  settings: settings(),
  lastPlace: null,
  hosting: {
    account: 's1.me',
    addresses: [{ address: 'wss://192.168.1.20:4780', reach: 'localNetwork' }],
    folder: '/home/solstice/.local/share/tulou/server',
    isOpen: true,
    ownAddress: null,
    isAnnounced: true,
    key: 'LPJNul-wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ',
    port: 4780,
    takenPort: null,
    isStarting: false,
    failure: null,
    disk: 'plenty',
    clock: 'right',
    freeBytes: null,
    backupFailure: null,
  },
  list: { file: '/home/me/tulou/accounts.json', trouble: null, aside: null },
  keyring: 'works',
  badge: NO_BADGE,
  ...more,
})

/** What guards an account that is signed in here and on a laptop. */
export const security = (more: Partial<SecurityView> = {}): SecurityView => ({
  recoveryCodes: 9,
  mostSessions: 200,
  sessions: [
    {
      id: 'here',
      device: 'attic · Linux',
      address: '127.0.0.1',
      createdAt: 1_790_000_000_000,
      seenAt: 1_790_000_000_000,
      isOnline: true,
      isCurrent: true,
    },
    {
      id: 'laptop',
      device: 'laptop · macOS',
      address: '192.0.2.7',
      createdAt: 1_780_000_000_000,
      seenAt: 1_789_000_000_000,
      isOnline: false,
      isCurrent: false,
    },
  ],
  owned: [],
  isServerAdmin: false,
  ...more,
})

export const topic = (id: string, name: string, more: Partial<TopicView> = {}): TopicView => ({
  id,
  name,
  introduction: '',
  isClosed: false,
  isLocked: false,
  isAnnouncement: false,
  badge: NO_BADGE,
  level: 'all',
  canSpeak: true,
  canManage: true,
  hasDraft: false,
  hasFailed: false,
  isPending: false,
  ...more,
})

export const tree = (more: Partial<TreeView> = {}): TreeView => ({
  id: 'c1',
  name: '星海玩家社群',
  introduction: '',
  members: 986_120,
  online: 12_408,
  isOwner: true,
  permissions: [
    'view',
    'manageTopics',
    'manageCommunity',
    'manageMemberGroups',
    'assignMemberGroups',
    'invite',
    'kick',
  ],
  groups: [],
  levelsEndAt: null,
  isPending: false,
  ...more,
})

export const paragraph = (text: string): Block => ({ type: 'paragraph', lang: null, inlines: [{ type: 'text', text }] })

export const message = (
  id: string,
  seq: number | null,
  text: string,
  more: Partial<MessageView> = {},
): MessageView => ({
  id,
  seq,
  author: { id: 'fawn', name: '林间鹿', tag: null },
  sentAt: Date.UTC(2026, 10, 22, 12, 14) + (seq ?? 0) * 60_000,
  writtenAt: null,
  blocks: [paragraph(text)],
  isFolded: false,
  text,
  reply: null,
  reactions: [],
  isPinned: false,
  isEdited: false,
  recalled: null,
  mentionsMe: false,
  isMine: false,
  delivery: { state: 'sent' },
  hasPendingChange: false,
  refused: null,
  actions: ['react', 'reply', 'pin'],
  ...more,
})

export const timeline = (more: Partial<TimelineView> = {}): TimelineView => ({
  topic: 't3',
  community: 'c1',
  name: '招募队友',
  introduction: '写清区服、段位和时间 · 组队成功后请编辑原消息',
  isClosed: false,
  cannotSpeak: null,
  permissions: ['view', 'readHistory', 'speak', 'react', 'pin'],
  rows: [],
  pending: [],
  hasBefore: false,
  hasAfter: false,
  isLoading: false,
  isCutOff: false,
  firstUnread: null,
  unread: 0,
  head: 0,
  pins: [],
  draft: { text: '', replyTo: null },
  edits: [],
  refused: [],
  mentioned: [],
  newMentions: [],
  // Read up to the divider; without one, to the end.
  readTo: more.firstUnread == null ? (more.rows?.at(-1)?.seq ?? 0) : more.firstUnread - 1,
  ...more,
})

export const member = (id: string, name: string, more: Partial<MemberView> = {}): MemberView => ({
  id,
  name,
  accountName: id,
  isOnline: true,
  isOwner: false,
  memberGroups: [],
  isMe: false,
  hasSeat: false,
  canAssign: true,
  canKick: true,
  ...more,
})

/** Every right, in the order in which the client names them. */
export const PERMISSIONS: PermissionView[] = [
  ...['view', 'readHistory', 'speak', 'attach', 'react', 'mentionAll', 'pin', 'recallOthers', 'mute'],
  ...['bypassSlowMode', 'joinVoice', 'speakVoice', 'manageTopics'],
]
  .map((key) => ({ key, isCommunityOnly: false }))
  .concat(
    ['manageCommunity', 'manageMemberGroups', 'assignMemberGroups', 'invite', 'approveMembers', 'kick', 'ban']
      .concat('viewAudit')
      .map((key) => ({ key, isCommunityOnly: true })),
  )

/** A set of rights as the lines of a table of rights write it. */
export const rightsOf = (...keys: string[]): number =>
  PERMISSIONS.reduce((set, { key }, at) => (keys.includes(key) ? set | (1 << at) : set), 0)

/** What everyone may do in a new community. */
const USUAL = rightsOf('view', 'readHistory', 'speak', 'attach', 'react', 'joinVoice', 'speakVoice')

export const rightsLine = (place: RightsLine['place'], name: string, more: Partial<RightsLine> = {}): RightsLine => ({
  place,
  name,
  isClosed: false,
  settable: place.level === 'community' ? (1 << 21) - 1 : (1 << 13) - 1,
  allow: 0,
  deny: 0,
  inherited: USUAL,
  fromCommunity: USUAL,
  fromGroup: 0,
  fromTopic: 0,
  fromEveryone: USUAL,
  isPending: false,
  ...more,
})
