// A stand-in for the program behind the window: keeps made-up views in memory and answers from them.
import type {
  AccessView,
  Action,
  Api,
  AppView,
  Change,
  ExplainView,
  InviteView,
  MembersView,
  MessageView,
  Stretch,
  Submitted,
  TimelineView,
  TreeView,
} from '../api'
import { Refused } from '../api'
import { appView, paragraph, timeline } from './views'

export class StandIn implements Api {
  app: AppView = appView()
  trees = new Map<string, TreeView>()
  topics = new Map<string, TimelineView>()
  members: MembersView = { sections: [], hasMore: false, isFresh: true }
  access: AccessView = { memberGroups: [], places: [], permissions: [], access: [] }
  explained: ExplainView[] = []
  invites: InviteView[] = []
  /** What was asked of the program, in order. */
  readonly actions: Action[] = []
  readonly calls: string[] = []
  /** Refuse the next submit with this code. */
  refusal: string | null = null

  #hear: (changes: Change[]) => void = () => undefined
  #made = 0

  tell(...changes: Change[]): void {
    this.#hear(changes)
  }

  #call<T>(name: string, value: T): Promise<T> {
    this.calls.push(name)
    return Promise.resolve(value)
  }

  appView = () => this.#call('appView', this.app)
  setSettings = (settings: AppView['settings']) => {
    this.app = { ...this.app, settings }
    return this.#call('setSettings', null)
  }
  setPlace = () => this.#call('setPlace', null)
  subscribe = (onChanges: (changes: Change[]) => void) => {
    this.#hear = onChanges
    return this.#call('subscribe', null)
  }
  peek = (link: string) =>
    link.includes('nowhere')
      ? Promise.reject(new Refused({ code: 'unreachable', message: '', rejection: null }))
      : this.#call('peek', {
          server: 's2',
          name: 'Starsea',
          registration: 'open',
          address: 'wss://starsea.example:4780',
          community: link.includes('invite') ? 'Starsea Players' : null,
          members: link.includes('invite') ? 986_120 : null,
          accounts: [],
        })
  host = () => this.#call('host', this.app.accounts[0]?.key ?? '')
  join = () => this.#call('join', { account: this.app.accounts[0]?.key ?? '', community: 'c1', topic: null })
  joinCommunity = (account: string) => this.#call('joinCommunity', { account, community: 'c1', topic: null })
  signIn = () => this.#call('signIn', null)
  signOut = () => this.#call('signOut', null)
  treeView = (_account: string, community: string) => {
    const tree = this.trees.get(community)
    if (tree) return this.#call('treeView', tree)
    return Promise.reject(new Refused({ code: 'not_found', message: '', rejection: null }))
  }
  timelineView = (_account: string, topic: string, stretch: Stretch) => {
    const whole = this.topics.get(topic) ?? timeline({ topic, name: topic })
    return this.#call(`timelineView ${stretch.at}`, cut(whole, stretch))
  }
  enterTopic = () => this.#call('enterTopic', null)
  leaveTopic = () => this.#call('leaveTopic', null)
  membersView = (_a: string, _c: string, _t: string | null, prefix: string) => {
    const fits = this.members.sections
      .map((section) => ({
        ...section,
        members: section.members.filter((one) => one.name.toLowerCase().startsWith(prefix.toLowerCase())),
      }))
      .filter((section) => prefix === '' || section.members.length > 0)
    return this.#call('membersView', { ...this.members, sections: fits })
  }
  accessView = () => this.#call('accessView', this.access)
  explain = () => this.#call('explain', this.explained)
  invitesView = () => this.#call('invitesView', this.invites)
  createInvite = (_account: string, _community: string, expiresInS: number | null, maxUses: number | null) => {
    const invite: InviteView = {
      code: `K7Q${(this.#made += 1)}`,
      link: `tulou://join/192.168.1.20:4780/K7Q2-9XDM#sha256-Zk3v${this.#made}`,
      expiresAt: expiresInS === null ? null : Date.now() + expiresInS * 1000,
      maxUses,
      uses: 0,
    }
    this.invites = [invite, ...this.invites]
    return this.#call('createInvite', invite)
  }
  revokeInvite = (_account: string, _community: string, code: string) => {
    this.invites = this.invites.filter((one) => one.code !== code)
    return this.#call('revokeInvite', null)
  }
  submit = (account: string, action: Action): Promise<Submitted> => {
    this.actions.push(action)
    if (this.refusal !== null) {
      const code = this.refusal
      this.refusal = null
      return Promise.reject(
        new Refused({ code, message: '', rejection: { code, permission: null, limit: null, retryAfterS: null } }),
      )
    }
    if (action.type === 'sendMessage') this.#send(account, action.topic, action.text)
    return this.#call('submit', { created: action.type.startsWith('create') ? `made${(this.#made += 1)}` : null })
  }
  saveDraft = () => this.#call('saveDraft', null)
  outboxRetry = () => this.#call('outboxRetry', null)
  outboxDiscard = () => this.#call('outboxDiscard', null)
  openLink = () => this.#call('openLink', null)
  openStoreFolder = () => this.#call('openStoreFolder', null)
  forgetAside = () => this.#call('forgetAside', null)
  hurry = () => this.#call('hurry', null)
  painted = () => this.#call('painted', null)

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
