// A stand-in for the program behind the window: keeps made-up views in memory and answers from them.
import { patched } from '../lib/settings'
import { isUnread, topicsOf } from '../lib/topics'
import type {
  AccessView,
  Action,
  Api,
  AppView,
  Badge,
  BackupPeek,
  BackupsView,
  Change,
  ExplanationView,
  InviteView,
  JoinInput,
  JumpView,
  LevelPlace,
  LevelView,
  LostMessage,
  MembersView,
  MentionedView,
  MessageView,
  PersonView,
  ReadMark,
  RightsLine,
  RightsView,
  SecurityView,
  ServerAccountView,
  SettingsPatch,
  Stretch,
  Submitted,
  TimelineView,
  TreeView,
} from '../api'
import { Refused } from '../api'
import { appView, NO_BADGE, paragraph, security, timeline } from './views'

export class StandIn implements Api {
  app: AppView = appView()
  trees = new Map<string, TreeView>()
  topics = new Map<string, TimelineView>()
  members: MembersView = { sections: [], next: null, isFresh: true }
  /** Whom a message may mention besides persons. */
  many: MentionedView[] = []
  access: AccessView = { memberGroups: [] }
  rights: RightsView = { memberGroup: 'everyone', permissions: [], lines: [] }
  explained: ExplanationView = {
    rights: [],
    rows: [],
    memberGroups: [],
    isClosed: false,
    hasSeat: true,
    isOwner: false,
  }
  /** Who has a seat, by id. */
  seats = new Set<string>()
  /** What the server says of people, beside what their membership says. */
  people = new Map<string, Partial<PersonView>>()
  invites: InviteView[] = []
  /** The recovery codes that are made. */
  codes: string[] = []
  security: SecurityView = security()
  serverAccounts: ServerAccountView[] = []
  backups: BackupsView = { folder: '/home/me/tulou/server/backups', kept: 7, failure: null, backups: [] }
  peeked: BackupPeek = {
    serverName: '土楼',
    madeAt: 1_795_000_000_000,
    accounts: 12,
    communities: 2,
    replaces: null,
    isSameServer: false,
  }
  lost: LostMessage[] = []
  level: LevelView = { set: 'inherit', until: null, holds: 'all', decidedBy: { by: 'size' } }
  /** What was asked of the program, in order. */
  readonly actions: Action[] = []
  readonly calls: string[] = []
  /** Refuse the next submit with this code. */
  refusal: string | null = null

  #hear: (changes: Change[]) => void = () => undefined
  #made = 0
  readonly #unread = new Map<string, Badge>()

  tell(...changes: Change[]): void {
    this.#hear(changes)
  }

  #call<T>(name: string, value: T): Promise<T> {
    this.calls.push(name)
    return Promise.resolve(value)
  }

  appView = () => this.#call('appView', this.app)
  setSettings = (patch: SettingsPatch) => {
    this.app = { ...this.app, settings: patched(this.app.settings, patch) }
    return this.#call('setSettings', null)
  }
  setPlace = () => this.#call('setPlace', null)
  subscribe = (onChanges: (changes: Change[]) => void) => {
    this.#hear = onChanges
    return this.#call('subscribe', null)
  }
  peek: Api['peek'] = (link: string) =>
    link.includes('nowhere')
      ? Promise.reject(new Refused({ code: 'unreachable', message: '', rejection: null }))
      : this.#call('peek', {
          server: 's2',
          name: 'Starsea',
          registration: 'open',
          address: 'wss://starsea.example:4780',
          community: link.includes('invite') ? 'Starsea Players' : null,
          members: link.includes('invite') ? 986_120 : null,
          isInviteOver: false,
          accounts: [],
        })
  letOthers = () => this.#call('letOthers', null)
  startHosting = () => this.#call('startHosting', null)
  relocate: Api['relocate'] = () => this.#call('relocate', { result: 'found', address: 'wss://10.0.0.7:4780' })
  host = () => this.#call('host', { account: this.app.accounts[0]?.key ?? '', recoveryCodes: this.codes })
  join = (input: JoinInput) =>
    this.#call(`join ${input.register ? 'new' : input.code === null ? 'known' : 'forgotten'}`, {
      place: { account: this.app.accounts[0]?.key ?? '', community: 'c1', topic: null },
      recoveryCodes: input.register ? this.codes : [],
      notJoined: null,
    })
  joinCommunity = (account: string) => this.#call('joinCommunity', { account, community: 'c1', topic: null })
  signIn = () => this.#call('signIn', null)
  signOut = () => this.#refusable('signOut', null)
  recover = (_account: string, code: string) => this.#refusable(`recover ${code}`, null)
  securityView = () => this.#call('securityView', this.security)
  changePassword = () => this.#refusable('changePassword', null)
  newRecoveryCodes = () => this.#refusable('newRecoveryCodes', this.codes)
  saveRecoveryCodes = (accountName: string) => this.#call('saveRecoveryCodes', `/home/me/tulou-${accountName}.txt`)
  endSessions = (_account: string, session: string | null) => {
    const sessions = this.security.sessions.filter((one) => one.isCurrent || (session !== null && one.id !== session))
    this.security = { ...this.security, sessions }
    return this.#call(`endSessions ${session ?? 'others'}`, null)
  }
  deleteAccount = (_account: string, _password: string, messages: string) =>
    this.#refusable(`deleteAccount ${messages}`, null)
  removeAccount = () => this.#refusable('removeAccount', null)
  serverAccountsView = (_account: string, search: string) =>
    this.#call(`serverAccountsView ${search}`, {
      accounts: this.serverAccounts.filter((one) => one.name.startsWith(search)),
      hasMore: false,
    })
  resetAccount = (_account: string, whose: string) =>
    this.#call(`resetAccount ${whose}`, { code: 'ABCD-EFGH-JKMN-PQRS', expiresAt: Date.now() + 7 * 86_400_000 })
  treeView = (_account: string, community: string) => {
    const tree = this.trees.get(community)
    if (tree) return this.#call('treeView', tree)
    return Promise.reject(new Refused({ code: 'not_found', message: '', rejection: null }))
  }
  topicsView = (account: string) => {
    const tiles = this.app.accounts.find((one) => one.key === account)?.communities ?? []
    const jumps = tiles.flatMap(({ id: community }) => {
      const tree = this.trees.get(community)
      return (tree?.groups ?? []).flatMap((group) =>
        group.topics
          .filter((topic) => !topic.isLocked)
          .map((topic): JumpView => ({ community, communityName: tree?.name ?? '', group: group.name, topic })),
      )
    })
    return this.#call('topicsView', jumps)
  }
  countsView = (_account: string, community: string) => {
    const { members = null, online = null } = this.trees.get(community) ?? {}
    return this.#call('countsView', { members, online })
  }
  badgesView = (account: string, community: string, topics: string[]) => {
    const tree = this.trees.get(community)
    if (!tree) return Promise.reject(new Refused({ code: 'not_found', message: '', rejection: null }))
    const groups = tree.groups.filter((group) => group.topics.some((topic) => topics.includes(topic.id)))
    const moved = topicsOf(tree).filter((topic) => topics.includes(topic.id))
    const tiles = this.app.accounts.find((one) => one.key === account)?.communities ?? []
    return this.#call(`badgesView ${topics.join(' ')}`, {
      topics: moved.map(({ id, badge, hasDraft, hasFailed }) => ({ id, badge, hasDraft, hasFailed })),
      groups: groups.map(({ id, badge }) => ({ id, badge })),
      community: tiles.find((tile) => tile.id === community)?.badge ?? NO_BADGE,
      app: this.app.badge,
    })
  }
  #stretchOf = (topic: string, stretch: Stretch): TimelineView =>
    cut(this.topics.get(topic) ?? timeline({ topic, name: topic }), stretch)
  levelView = (_account: string, place: LevelPlace) => this.#call(`levelView ${place.at}`, this.level)
  timelineView = (_account: string, topic: string, stretch: Stretch) =>
    this.#call(`timelineView ${stretch.at}`, this.#stretchOf(topic, stretch))
  textBlocks = (_account: string, _topic: string, text: string) => this.#call('textBlocks', [paragraph(text)])
  enterTopic = (_account: string, topic: string, stretch: Stretch) =>
    this.#call(`enterTopic ${stretch.at}`, this.#stretchOf(topic, stretch))
  comeBack = (_account: string, topic: string) => this.#call(`comeBack ${topic}`, null)
  leaveTopic = () => this.#call('leaveTopic', null)
  membersView = (_a: string, _c: string, _t: string | null, prefix: string) =>
    this.#call('membersView', this.#found(prefix))
  seatsView = (_a: string, _c: string, _t: string, onlySeated: boolean, prefix: string) => {
    const found = this.#found(prefix)
    const sections = found.sections.map((section) => ({
      ...section,
      members: section.members
        .map((one) => ({ ...one, hasSeat: one.isOwner || this.seats.has(one.id) }))
        .filter((one) => one.hasSeat || !onlySeated),
    }))
    return this.#call(`seatsView ${onlySeated ? 'seated' : 'all'}`, { ...found, sections })
  }
  #found(prefix: string): MembersView {
    const fits = this.members.sections
      .map((section) => ({
        ...section,
        members: section.members.filter((one) => one.name.toLowerCase().startsWith(prefix.toLowerCase())),
      }))
      .filter((section) => prefix === '' || section.members.length > 0)
    return { ...this.members, sections: fits }
  }
  manyView = () => this.#call('manyView', this.many)
  accessView = () => this.#call('accessView', this.access)
  rightsView = (_account: string, _community: string, memberGroup: string) =>
    this.#call(`rightsView ${memberGroup}`, { ...this.rights, memberGroup })
  explain = () => this.#call('explain', this.explained)
  personView = (_a: string, _c: string, _t: string | null, id: string, asks: boolean) => {
    const everybody = this.members.sections.flatMap((section) => section.members)
    const member = everybody.find((one) => one.id === id) ?? null
    const groups = this.access.memberGroups.filter((group) => member?.memberGroups.includes(group.id))
    return this.#call<PersonView>(`personView ${id}${asks ? ' asks' : ''}`, {
      id,
      name: member?.name ?? id,
      accountName: member?.accountName ?? '',
      introduction: '',
      member,
      memberGroups: groups.map(({ id, name, hasTag }) => ({ id, name, hasTag })),
      joinedAt: member ? Date.UTC(2024, 2, 12) : null,
      rights: member ? this.explained.rights : [],
      isFresh: asks,
      ...this.people.get(id),
    })
  }
  invitesView = () => this.#call('invitesView', this.invites)
  createInvite = (_account: string, _community: string, expiresInS: number | null, maxUses: number | null) => {
    const invite: InviteView = {
      code: `K7Q${(this.#made += 1)}`,
      link: `tulou://join/192.168.1.20:4780/K7Q2-9XDM#sha256-Zk3v${this.#made}`,
      expiresAt: expiresInS === null ? null : Date.now() + expiresInS * 1000,
      maxUses,
      uses: 0,
      madeBy: '夏至',
      came: [],
      hasLapsed: false,
      madeAt: Date.now(),
    }
    this.invites = [invite, ...this.invites]
    return this.#call('createInvite', invite)
  }
  takeOverInvite = (_account: string, _community: string, code: string) => {
    const take = (one: InviteView): InviteView => ({ ...one, madeBy: '夏至', hasLapsed: false })
    this.invites = this.invites.map((one) => (one.code === code ? take(one) : one))
    return this.#call('takeOverInvite', this.invites.find((one) => one.code === code) as InviteView)
  }
  revokeInvite = (_account: string, _community: string, code: string) => {
    this.invites = this.invites.filter((one) => one.code !== code)
    return this.#call('revokeInvite', null)
  }
  /** Answers, unless the next refusal is for this. */
  #refusable<T>(name: string, value: T): Promise<T> {
    if (this.refusal === null) return this.#call(name, value)
    const code = this.refusal
    this.refusal = null
    return Promise.reject(
      new Refused({ code, message: '', rejection: { code, permission: null, limit: null, retryAfterS: null } }),
    )
  }

  submit = (account: string, action: Action): Promise<Submitted> => {
    this.actions.push(action)
    if (this.refusal !== null) return this.#refusable('submit', { created: null })
    if (action.type === 'setAccess') this.#setAccess(action)
    if (action.type === 'setSeat') this.seats[action.on ? 'add' : 'delete'](action.member)
    if (action.type === 'sendMessage') this.#send(account, action.topic, action.text)
    return this.#call('submit', { created: action.type.startsWith('create') ? `made${(this.#made += 1)}` : null })
  }
  saveDraft: Api['saveDraft'] = () => this.#call('saveDraft', null)
  saveEdit: Api['saveEdit'] = () => this.#call('saveEdit', null)
  markRead = (account: string, place: LevelPlace) => {
    const marks: ReadMark[] = []
    for (const [id, tree] of this.trees) {
      if (place.at !== 'global' && place.community !== id) continue
      const groups = tree.groups.map((group) => {
        if (place.at === 'group' && place.group !== group.id) return group
        const topics = group.topics.map((topic) => {
          const isMeant = place.at !== 'topic' || place.topic === topic.id
          if (!isMeant || !isUnread(topic.badge)) return topic
          this.#unread.set(topic.id, topic.badge)
          marks.push({ topic: topic.id, seq: 1, mentions: [] })
          return { ...topic, badge: NO_BADGE }
        })
        return { ...group, topics }
      })
      this.trees.set(id, { ...tree, groups })
      this.tell({ type: 'tree', account, community: id })
    }
    return this.#call(`markRead ${place.at}`, marks)
  }
  setRead = (account: string, marks: ReadMark[]) => {
    for (const [id, tree] of this.trees) {
      const groups = tree.groups.map((group) => ({
        ...group,
        topics: group.topics.map((topic) =>
          marks.some((mark) => mark.topic === topic.id)
            ? { ...topic, badge: this.#unread.get(topic.id) ?? topic.badge }
            : topic,
        ),
      }))
      this.trees.set(id, { ...tree, groups })
      this.tell({ type: 'tree', account, community: id })
    }
    return this.#call('setRead', null)
  }
  outboxRetry = () => this.#call('outboxRetry', null)
  outboxDiscard = () => this.#call('outboxDiscard', null)
  openLink = () => this.#call('openLink', null)
  openStoreFolder = () => this.#call('openStoreFolder', null)
  forgetAside = () => this.#call('forgetAside', null)
  forgetListAside = () => this.#call('forgetListAside', null)
  openListFolder = () => this.#call('openListFolder', null)
  hurry = () => this.#call('hurry', null)
  askKeyring = () => this.#call('askKeyring', null)
  backupsView = () => this.#call('backupsView', this.backups)
  backUp = () => {
    const made = { path: '/b/now.tulou-backup', name: 'now.tulou-backup', madeAt: Date.now(), bytes: 4_200_000 }
    this.backups = {
      ...this.backups,
      backups: [{ ...made, isDaily: false, isReadable: true }, ...this.backups.backups],
    }
    return this.#call('backUp', null)
  }
  openBackups = () => this.#call('openBackups', null)
  pickBackup = () => this.#call('pickBackup', '/b/now.tulou-backup' as string | null)
  peekBackup = (path: string) =>
    path.endsWith('.tulou-backup')
      ? this.#call('peekBackup', this.peeked)
      : Promise.reject(new Refused({ code: 'not_a_backup', message: '', rejection: null }))
  restoreBackup = (path: string) => this.#call(`restoreBackup ${path}`, 'ws://127.0.0.1:4780')
  lostMessages = () => this.#call('lostMessages', this.lost)
  sendLost = (_account: string, topic: string, message: string | null) =>
    this.#call(`sendLost ${topic} ${message ?? 'all'}`, null)
  discardLost = (_account: string, topic: string, message: string | null) =>
    this.#call(`discardLost ${topic} ${message ?? 'all'}`, null)
  painted = () => this.#call('painted', null)

  #setAccess({ place, permission, value }: Extract<Action, { type: 'setAccess' }>): void {
    const bit = 1 << this.rights.permissions.findIndex((one) => one.key === permission)
    const at = JSON.stringify(place)
    const set = (line: RightsLine): RightsLine => ({
      ...line,
      allow: value === true ? line.allow | bit : line.allow & ~bit,
      deny: value === false ? line.deny | bit : line.deny & ~bit,
    })
    const lines = this.rights.lines.map((line) => (JSON.stringify(line.place) === at ? set(line) : line))
    this.rights = { ...this.rights, lines }
  }

  #send(account: string, topic: string, text: string): void {
    const whole = this.topics.get(topic)
    const me = this.app.accounts.find((one) => one.key === account)
    if (!whole || !me) return
    this.#made += 1
    const sent: MessageView = {
      id: `sent${this.#made}`,
      seq: null,
      author: { id: me.accountId, name: me.displayName, tag: null },
      sentAt: Date.now(),
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
      isMine: true,
      delivery: { state: 'sending' },
      hasPendingChange: false,
      refused: null,
      actions: ['edit', 'recall'],
    }
    this.topics.set(topic, { ...whole, pending: [...whole.pending, sent] })
    this.tell({ type: 'timeline', account, topic })
  }
}

/** The stretch of a whole topic that was asked for. */
function cut(whole: TimelineView, stretch: Stretch): TimelineView {
  const rows = whole.rows
  let from: number
  let to: number
  if (stretch.at === 'range') {
    from = Math.max(
      0,
      rows.findIndex((row) => (row.seq ?? 0) >= stretch.from),
    )
    to = stretch.to === null ? rows.length : rows.filter((row) => (row.seq ?? 0) <= (stretch.to ?? 0)).length
  } else {
    const middle =
      stretch.at === 'message'
        ? rows.findIndex((row) => row.id === stretch.id)
        : stretch.at === 'unread' && whole.firstUnread !== null
          ? rows.findIndex((row) => row.seq === whole.firstUnread)
          : rows.length
    from = Math.max(0, Math.min(rows.length, middle + Math.ceil(stretch.count / 2)) - stretch.count)
    to = Math.min(rows.length, from + stretch.count)
  }
  const isAtEnd = to === rows.length
  return {
    ...whole,
    rows: rows.slice(from, to),
    pending: isAtEnd ? whole.pending : [],
    hasBefore: whole.hasBefore || from > 0,
    hasAfter: whole.hasAfter || !isAtEnd,
    head: rows.at(-1)?.seq ?? 0,
  }
}
