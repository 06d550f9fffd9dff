// What the window can ask of the program behind it. The only file that knows Tauri: tests and a browser put a
// stand-in in its place.
import { Channel } from '@tauri-apps/api/core'
import { commands } from './bindings'
import type {
  AccessView,
  Action,
  AppView,
  BackupPeek,
  BadgesView,
  CountsView,
  BackupsView,
  Block,
  Change,
  DraftView,
  EditInput,
  ExplanationView,
  HostInput,
  HostingInput,
  InviteView,
  JoinInput,
  JumpView,
  Joined,
  LevelPlace,
  LevelView,
  LostMessage,
  MembersView,
  MentionedView,
  MessagesThen,
  PersonView,
  Place,
  ResetView,
  RightsView,
  SecurityView,
  ServerAccountsView,
  Relocation,
  ServerPeek,
  ReadMark,
  SettingsPatch,
  SignedUp,
  Stretch,
  Submitted,
  TimelineView,
  TreeView,
  WindowError,
} from './bindings'

export type * from './bindings'

/** The program behind the window. Every call rejects with a {@link Refused}. */
export interface Api {
  appView(): Promise<AppView>
  setSettings(patch: SettingsPatch): Promise<null>
  setPlace(place: Place): Promise<null>
  subscribe(onChanges: (changes: Change[]) => void): Promise<null>
  peek(link: string): Promise<ServerPeek>
  host(input: HostInput): Promise<SignedUp>
  letOthers(input: HostingInput): Promise<null>
  startHosting(): Promise<null>
  relocate(account: string, link: string, key: string | null): Promise<Relocation>
  join(input: JoinInput): Promise<Joined>
  joinCommunity(account: string, link: string): Promise<Place>
  signIn(account: string, password: string): Promise<null>
  signOut(account: string): Promise<null>
  recover(account: string, code: string, password: string): Promise<null>
  securityView(account: string): Promise<SecurityView>
  changePassword(account: string, password: string, newPassword: string): Promise<null>
  newRecoveryCodes(account: string, password: string): Promise<string[]>
  saveRecoveryCodes(accountName: string, text: string): Promise<string>
  endSessions(account: string, session: string | null): Promise<null>
  deleteAccount(account: string, password: string, messages: MessagesThen): Promise<null>
  removeAccount(account: string): Promise<null>
  serverAccountsView(account: string, search: string, after: string): Promise<ServerAccountsView>
  resetAccount(account: string, whose: string): Promise<ResetView>
  treeView(account: string, community: string): Promise<TreeView>
  topicsView(account: string): Promise<JumpView[]>
  countsView(account: string, community: string): Promise<CountsView>
  badgesView(account: string, community: string, topics: string[]): Promise<BadgesView>
  levelView(account: string, place: LevelPlace): Promise<LevelView>
  timelineView(account: string, topic: string, stretch: Stretch): Promise<TimelineView>
  textBlocks(account: string, topic: string, text: string): Promise<Block[]>
  enterTopic(account: string, topic: string, stretch: Stretch): Promise<TimelineView>
  comeBack(account: string, topic: string): Promise<null>
  leaveTopic(account: string, topic: string): Promise<null>
  membersView(
    account: string,
    community: string,
    topic: string | null,
    prefix: string,
    limit: number,
    after?: string | null,
  ): Promise<MembersView>
  manyView(account: string, topic: string): Promise<MentionedView[]>
  seatsView(
    account: string,
    community: string,
    topic: string,
    onlySeated: boolean,
    prefix: string,
    limit: number,
    after?: string | null,
  ): Promise<MembersView>
  accessView(account: string, community: string): Promise<AccessView>
  rightsView(account: string, community: string, memberGroup: string): Promise<RightsView>
  explain(account: string, community: string, topic: string | null, member: string): Promise<ExplanationView>
  personView(
    account: string,
    community: string,
    topic: string | null,
    person: string,
    asks: boolean,
  ): Promise<PersonView>
  invitesView(account: string, community: string): Promise<InviteView[]>
  createInvite(
    account: string,
    community: string,
    expiresInS: number | null,
    maxUses: number | null,
  ): Promise<InviteView>
  takeOverInvite(account: string, community: string, code: string): Promise<InviteView>
  revokeInvite(account: string, community: string, code: string): Promise<null>
  submit(account: string, action: Action): Promise<Submitted>
  markRead(account: string, place: LevelPlace): Promise<ReadMark[]>
  setRead(account: string, marks: ReadMark[]): Promise<null>
  saveDraft(account: string, topic: string, draft: DraftView): Promise<null>
  saveEdit(account: string, topic: string, message: string, edit: EditInput | null): Promise<null>
  outboxRetry(account: string, command: string): Promise<null>
  outboxDiscard(account: string, command: string): Promise<null>
  openLink(url: string): Promise<null>
  openStoreFolder(account: string): Promise<null>
  forgetAside(account: string): Promise<null>
  forgetListAside(): Promise<null>
  openListFolder(): Promise<null>
  hurry(): Promise<null>
  askKeyring(): Promise<null>
  backupsView(): Promise<BackupsView>
  backUp(): Promise<null>
  openBackups(): Promise<null>
  pickBackup(title: string): Promise<string | null>
  peekBackup(path: string): Promise<BackupPeek>
  restoreBackup(path: string): Promise<string>
  lostMessages(account: string, topic: string): Promise<LostMessage[]>
  sendLost(account: string, topic: string, message: string | null): Promise<null>
  discardLost(account: string, topic: string, message: string | null): Promise<null>
  painted(topic: string, atMs: number): Promise<null>
}

/** A typed error from the program behind the window. */
export class Refused extends Error {
  constructor(readonly reason: WindowError) {
    super(reason.message)
    this.name = 'Refused'
  }
}

/** Whatever was thrown, as the error that the window can put into words. */
export function reasonOf(thrown: unknown): WindowError {
  if (thrown instanceof Refused) return thrown.reason
  return { code: 'internal', message: thrown instanceof Error ? thrown.message : String(thrown), rejection: null }
}

type Answer<T> = { status: 'ok'; data: T } | { status: 'error'; error: WindowError }

async function unwrap<T>(answer: Promise<Answer<T>>): Promise<T> {
  const result = await answer
  if (result.status === 'error') throw new Refused(result.error)
  return result.data
}

/** The program in whose window this page runs. */
export const tauri: Api = {
  appView: () => unwrap(commands.appView()),
  setSettings: (patch) => unwrap(commands.setSettings(patch)),
  setPlace: (place) => unwrap(commands.setPlace(place)),
  subscribe: (onChanges) => {
    const channel = new Channel<Change[]>()
    channel.onmessage = onChanges
    return unwrap(commands.subscribe(channel))
  },
  peek: (link) => unwrap(commands.peek(link)),
  host: (input) => unwrap(commands.host(input)),
  letOthers: (input) => unwrap(commands.letOthers(input)),
  startHosting: () => unwrap(commands.startHosting()),
  relocate: (account, link, key) => unwrap(commands.relocate(account, link, key)),
  join: (input) => unwrap(commands.join(input)),
  joinCommunity: (account, link) => unwrap(commands.joinCommunity(account, link)),
  signIn: (account, password) => unwrap(commands.signIn(account, password)),
  signOut: (account) => unwrap(commands.signOut(account)),
  recover: (account, code, password) => unwrap(commands.recover(account, code, password)),
  securityView: (account) => unwrap(commands.securityView(account)),
  changePassword: (account, password, newPassword) => unwrap(commands.changePassword(account, password, newPassword)),
  newRecoveryCodes: (account, password) => unwrap(commands.newRecoveryCodes(account, password)),
  saveRecoveryCodes: (accountName, text) => unwrap(commands.saveRecoveryCodes(accountName, text)),
  endSessions: (account, session) => unwrap(commands.endSessions(account, session)),
  deleteAccount: (account, password, messages) => unwrap(commands.deleteAccount(account, password, messages)),
  removeAccount: (account) => unwrap(commands.removeAccount(account)),
  serverAccountsView: (account, search, after) => unwrap(commands.serverAccountsView(account, search, after)),
  resetAccount: (account, whose) => unwrap(commands.resetAccount(account, whose)),
  treeView: (account, community) => unwrap(commands.treeView(account, community)),
  topicsView: (account) => unwrap(commands.topicsView(account)),
  countsView: (account, community) => unwrap(commands.countsView(account, community)),
  badgesView: (account, community, topics) => unwrap(commands.badgesView(account, community, topics)),
  levelView: (account, place) => unwrap(commands.levelView(account, place)),
  timelineView: (account, topic, stretch) => unwrap(commands.timelineView(account, topic, stretch)),
  textBlocks: (account, topic, text) => unwrap(commands.textBlocks(account, topic, text)),
  enterTopic: (account, topic, stretch) => unwrap(commands.enterTopic(account, topic, stretch)),
  comeBack: (account, topic) => unwrap(commands.comeBack(account, topic)),
  leaveTopic: (account, topic) => unwrap(commands.leaveTopic(account, topic)),
  membersView: (account, community, topic, prefix, limit, after = null) =>
    unwrap(commands.membersView(account, community, topic, { prefix, after, limit })),
  manyView: (account, topic) => unwrap(commands.manyView(account, topic)),
  seatsView: (account, community, topic, onlySeated, prefix, limit, after = null) =>
    unwrap(commands.seatsView(account, community, topic, onlySeated, { prefix, after, limit })),
  rightsView: (account, community, memberGroup) => unwrap(commands.rightsView(account, community, memberGroup)),
  accessView: (account, community) => unwrap(commands.accessView(account, community)),
  explain: (account, community, topic, member) => unwrap(commands.explain(account, community, topic, member)),
  personView: (account, community, topic, person, asks) =>
    unwrap(commands.personView(account, community, topic, person, asks)),
  invitesView: (account, community) => unwrap(commands.invitesView(account, community)),
  createInvite: (account, community, expiresInS, maxUses) =>
    unwrap(commands.createInvite(account, community, expiresInS, maxUses)),
  takeOverInvite: (account, community, code) => unwrap(commands.takeOverInvite(account, community, code)),
  revokeInvite: (account, community, code) => unwrap(commands.revokeInvite(account, community, code)),
  markRead: (account, place) => unwrap(commands.markRead(account, place)),
  setRead: (account, marks) => unwrap(commands.setRead(account, marks)),
  submit: (account, action) => unwrap(commands.submit(account, action)),
  saveDraft: (account, topic, draft) => unwrap(commands.saveDraft(account, topic, draft)),
  saveEdit: (account, topic, message, edit) => unwrap(commands.saveEdit(account, topic, message, edit)),
  outboxRetry: (account, command) => unwrap(commands.outboxRetry(account, command)),
  outboxDiscard: (account, command) => unwrap(commands.outboxDiscard(account, command)),
  openLink: (url) => unwrap(commands.openLink(url)),
  openStoreFolder: (account) => unwrap(commands.openStoreFolder(account)),
  forgetAside: (account) => unwrap(commands.forgetAside(account)),
  forgetListAside: () => unwrap(commands.forgetListAside()),
  openListFolder: () => unwrap(commands.openListFolder()),
  hurry: () => unwrap(commands.hurry()),
  askKeyring: () => unwrap(commands.askKeyring()),
  backupsView: () => unwrap(commands.backupsView()),
  backUp: () => unwrap(commands.backUp()),
  openBackups: () => unwrap(commands.openBackups()),
  pickBackup: (title) => unwrap(commands.pickBackup(title)),
  peekBackup: (path) => unwrap(commands.peekBackup(path)),
  restoreBackup: (path) => unwrap(commands.restoreBackup(path)),
  lostMessages: (account, topic) => unwrap(commands.lostMessages(account, topic)),
  sendLost: (account, topic, message) => unwrap(commands.sendLost(account, topic, message)),
  discardLost: (account, topic, message) => unwrap(commands.discardLost(account, topic, message)),
  painted: (topic, atMs) => unwrap(commands.painted(topic, atMs)),
}
