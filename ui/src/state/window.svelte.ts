// The window: where it is, what it shows, and what each note of staleness makes it read again.
import { getContext, setContext } from 'svelte'
import {
  reasonOf,
  type AccountView,
  type Action,
  type Api,
  type AppView,
  type Change,
  type Place,
  type SettingsPatch,
  type TreeView,
  type WindowError,
} from '../api'
import { i18n } from '../i18n.svelte'
import { inApp } from '../lib/badges'
import { copyText } from '../lib/clipboard'
import { findTopic, neighbour, topicsOf } from '../lib/topics'
import { Alarm } from './alarm'
import { Badges } from './badges'
import type { ComposerState } from './composer.svelte'
import { Composers } from './composers'
import { Dialogs, Menus, Toasts } from './dialogs.svelte'
import { Marking } from './marking'
import { MembersState } from './members.svelte'
import { Patches } from './patches'
import { PersonState, type Named } from './person.svelte'
import { Presence } from './presence.svelte'
import { Reread } from './reread'
import { SigningIn } from './signingIn'
import { TimelineState } from './timeline.svelte'
import { TreeState } from './tree.svelte'

export class WindowState {
  view = $state.raw<AppView | null>(null)
  error = $state.raw<WindowError | null>(null)
  place = $state.raw<Place | null>(null)
  tree = $state.raw<TreeState | null>(null)
  timeline = $state.raw<TimelineState | null>(null)
  composer = $state.raw<ComposerState | null>(null)
  members = $state.raw<MembersState | null>(null)
  /** Whose card is shown. */
  person = $state.raw<PersonState | null>(null)
  /** Counts changes of access rows, for the dialogs that show them. */
  accessChanges = $state(0)
  /** Counts changes of members, for the dialogs that show them. */
  memberChanges = $state(0)
  /** The member panel lies over the timeline of a narrow window. */
  isMembersOverlayOpen = $state(false)

  readonly dialogs = new Dialogs(() => this.place)
  readonly toasts = new Toasts()
  readonly menus = new Menus()
  readonly presence = new Presence()
  readonly marking = new Marking(this)

  readonly account = $derived<AccountView | undefined>(
    this.view?.accounts.find((account) => account.key === this.place?.account),
  )
  readonly topicView = $derived(findTopic(this.tree?.view ?? null, this.place?.topic ?? null))

  readonly #lastTopics = new Map<string, string>()
  readonly #reread: Reread
  readonly #badges: Badges
  readonly #patches = new Patches()
  #isPlaced = false
  readonly #signingIn = new SigningIn()
  readonly #levelsEnd = new Alarm()
  readonly #composers: Composers

  /** Topics and communities that the person removed or left in this window. */
  readonly #removed = new Set<string>()

  constructor(readonly api: Api) {
    this.#reread = new Reread(() => this.#read())
    this.#composers = new Composers(api, (thrown) => this.fail(thrown))
    this.#badges = new Badges(api, (account, community, read) => {
      if (this.view) this.view = inApp(this.view, account, community, read)
      if (isOpen(this.tree, { account, community })) this.tree?.take(read)
    })
  }

  async start(): Promise<void> {
    const subscribed = this.api.subscribe((changes) => this.hear(changes))
    subscribed.catch((thrown: unknown) => (this.error = reasonOf(thrown)))
    await this.ask()
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  /** Reads again what became stale. */
  hear(changes: readonly Change[]): void {
    for (const change of changes) {
      switch (change.type) {
        case 'app':
          void this.ask()
          break
        case 'badge':
          this.#badges.hear(change)
          break
        case 'tree':
          if (isOpen(this.tree, change)) void this.tree?.ask()
          break
        case 'counts':
          if (isOpen(this.tree, change)) void this.tree?.count()
          if (isOpen(this.members, change)) this.members?.askLater()
          break
        case 'timeline':
          if (this.timeline?.topic === change.topic && this.timeline.account === change.account)
            void this.timeline.ask()
          break
        case 'members':
          if (isOpen(this.members, change)) {
            void this.members?.ask()
            this.memberChanges += 1
          }
          if (this.person?.community === change.community) void this.person.ask()
          break
        case 'access':
          if (this.place?.community === change.community && this.place.account === change.account)
            this.accessChanges += 1
          if (this.person?.community === change.community) void this.person.ask()
          break
      }
    }
  }

  async openCommunity(account: string, community: string): Promise<void> {
    const tree = this.#openTree(account, community)
    const last = this.#lastTopics.get(keyOf(account, community))
    if (last !== undefined) this.openTopic(last)
    else {
      this.#leaveTopic()
      this.#setPlace({ account, community, topic: null })
    }
    await tree.ask()
    if (this.tree === tree && tree.view && !this.place?.topic) this.#openFirst(tree.view)
  }

  openTopic(topic: string): void {
    const tree = this.tree
    if (!tree) return
    if (this.timeline?.topic === topic && this.timeline.account === tree.account) {
      if (this.composer) this.composer.focusAsked += 1
      return
    }
    this.#leaveTopic()
    this.#lastTopics.set(keyOf(tree.account, tree.community), topic)
    this.#setPlace({ account: tree.account, community: tree.community, topic })
    const timeline = new TimelineState(this.api, tree.account, topic, (error) => void this.tell(error))
    this.timeline = timeline
    this.composer = this.#composers.open(tree.account, topic)
    void timeline.open()
  }

  /** Opens a place that may be on another account. */
  async openPlace(place: Place): Promise<void> {
    if (place.community === null) {
      this.#closeCommunity()
      this.#setPlace(place)
      return
    }
    if (place.topic !== null) this.#lastTopics.set(keyOf(place.account, place.community), place.topic)
    const isOpen = this.tree?.community === place.community && this.tree.account === place.account
    if (isOpen && place.topic !== null) this.openTopic(place.topic)
    else await this.openCommunity(place.account, place.community)
  }

  /** Shows a person's card beside what names him; if it is shown there already, it closes. */
  openPerson(opener: HTMLElement, who: Named): void {
    const isShownHere = this.person?.opener === opener
    this.closePerson()
    const place = this.place
    if (isShownHere || place?.community == null) return
    const person = new PersonState(this.api, place.account, place.community, place.topic, who, opener)
    this.person = person
    void person.ask()
  }

  closePerson(): void {
    this.person = null
  }

  openNeighbour(step: -1 | 1, onlyUnread: boolean): void {
    const tree = this.tree?.view
    const topic = tree && neighbour(tree, this.place?.topic ?? null, step, onlyUnread)
    if (topic) this.openTopic(topic.id)
  }

  /** Submits for the open account; a failure is shown. Gives the id of what was made, or undefined after a failure. */
  async act(action: Action): Promise<{ created: string | null } | undefined> {
    if (!this.place) return undefined
    try {
      return await this.api.submit(this.place.account, action)
    } catch (thrown) {
      this.fail(thrown)
      return undefined
    }
  }

  /** Submits what takes a topic or a community away from this person, or from everybody: who does it need not be told. */
  async remove(account: string, id: string, action: Action): Promise<void> {
    this.#removed.add(id)
    try {
      await this.api.submit(account, action)
    } catch (thrown) {
      this.#removed.delete(id)
      throw thrown
    }
  }

  /**
   * Waits for a call that ends a sign-in. Where the keyring did not forget it that is told, and holds nothing up: the
   * account is signed out, or gone, all the same.
   */
  async part(call: Promise<unknown>): Promise<void> {
    try {
      await call
    } catch (thrown) {
      if (reasonOf(thrown).code !== 'keyring') throw thrown
      this.fail(thrown)
    }
  }

  /** Waits for a call and shows its failure. */
  async run<T>(call: Promise<T>): Promise<T | undefined> {
    try {
      return await call
    } catch (thrown) {
      this.fail(thrown)
      return undefined
    }
  }

  /**
   * Puts text on the clipboard, and says whether the system took it. Where what was pressed says itself that it is copied,
   * only a failure is said.
   */
  async copy(text: string, isSaidThere = false): Promise<boolean> {
    const isCopied = await copyText(text)
    if (!isCopied || !isSaidThere) this.toasts.show(isCopied ? i18n.t.copied : i18n.t.notCopied, !isCopied)
    return isCopied
  }

  fail(thrown: unknown): void {
    void this.tell(reasonOf(thrown))
  }

  /** Says what went wrong. A full disk is told above the timeline for as long as it lasts, so not here as well. */
  async tell(error: WindowError): Promise<void> {
    if (error.code === 'no_room') {
      await this.ask()
      if (this.account?.store.trouble === 'noRoom') return
    }
    this.toasts.show(i18n.error(error), true)
  }

  /** Changes settings: here at once, and in the program, which knows what other windows changed. */
  set(patch: SettingsPatch): void {
    if (!this.view) return
    this.#patches.add(patch)
    this.#show(this.view)
    void this.run(this.api.setSettings(patch)).then(() => this.#patches.end(patch))
  }

  #show(view: AppView): void {
    this.view = { ...view, settings: this.#patches.over(view.settings) }
    i18n.use(this.view.settings.language)
  }

  async #read(): Promise<void> {
    const end = this.#badges.during()
    try {
      const view = await this.api.appView()
      const before = this.account?.connection.state
      this.#show(view)
      this.#composers.keepOf(view.accounts)
      end()
      this.error = null
      const now = this.account?.connection.state
      // Who is there, and what may be remembered of it, depends on the link.
      if (before !== undefined && now !== before && (now === 'synced' || before === 'synced')) void this.members?.ask()
      this.askToSignIn()
      await this.#keepPlace(view)
    } catch (thrown) {
      end()
      this.error = reasonOf(thrown)
    }
  }

  /** Asks whoever has to sign in because no keyring kept it: one after the other. */
  askToSignIn(): void {
    const isAsked = this.dialogs.open.some(({ dialog }) => dialog.kind === 'signIn')
    const next = this.view && this.#signingIn.next(this.view, isAsked)
    if (next) this.dialogs.show({ kind: 'signIn', account: next })
  }

  /** Has the keyring asked again. That it does no better than before is said: nothing else shows it. */
  async askKeyring(): Promise<void> {
    const stands = (): string => JSON.stringify([this.view?.keyring, this.view?.accounts.map((one) => one.kept)])
    const before = stands()
    if ((await this.run(this.api.askKeyring())) === undefined) return
    await this.ask()
    if (stands() !== before) return
    const isMissing = this.view?.keyring === 'missing'
    this.toasts.show(isMissing ? i18n.t.keyring.still.missing : i18n.t.keyring.still.refused(i18n.keyring))
  }

  /** Opens the last place at the start, and leaves a place that is gone. */
  async #keepPlace(view: AppView): Promise<void> {
    const exists = (place: Place | null): place is Place =>
      place !== null &&
      view.accounts.some(
        (account) =>
          account.key === place.account &&
          (place.community === null || account.communities.some((tile) => tile.id === place.community)),
      )
    if (!this.#isPlaced) {
      if (view.accounts.length === 0) return
      this.#isPlaced = true
      if (exists(view.lastPlace) && view.lastPlace.community !== null) {
        void this.openPlace(view.lastPlace)
        return
      }
    } else {
      const place = this.place
      if (place?.community != null && place.community === this.#awaited) {
        if (exists(place)) this.#awaited = null
        return
      }
      if (exists(place) && (place.community !== null || !this.account?.communities.length)) return
      const name = this.tree?.view?.name
      if (this.account && place?.community != null && name !== undefined && !this.#removed.has(place.community))
        this.toasts.show(i18n.t.community.gone(name), true)
    }
    const account = view.accounts.find((other) => other.communities.length > 0) ?? view.accounts[0]
    const tile = account?.communities[0]
    if (account && tile) void this.openCommunity(account.key, tile.id)
    else {
      this.#closeCommunity()
      if (account) this.#setPlace({ account: account.key, community: null, topic: null })
      else {
        this.place = null
        this.#isPlaced = false
        // What is open is about an account that is gone.
        this.dialogs.closeAll()
      }
    }
  }

  /** A community that was just made or joined, and may not be in the rail yet. */
  #awaited: string | null = null

  async openNew(place: Place): Promise<void> {
    this.#isPlaced = true
    this.#awaited = place.community
    await this.openPlace(place)
    if (this.composer) this.composer.focusAsked += 1
    await this.ask()
  }

  #openTree(account: string, community: string): TreeState {
    if (this.tree?.community === community && this.tree.account === account) return this.tree
    const tree = new TreeState(this.api, account, community, this.#badges, (view, before) =>
      this.#keepTopic(tree, view, before),
    )
    this.tree = tree
    this.members = new MembersState(this.api, account, community, null, undefined, () => tree.view?.members ?? null)
    // Whoever shows it has it read.
    this.members.isShown = false
    return tree
  }

  /** Leaves a topic that could be opened and cannot any more: it is not in the tree, or locked. */
  #keepTopic(tree: TreeState, view: TreeView, before: TreeView | null): void {
    if (this.tree !== tree) return
    // A level that is set for a while ends: what is shown changes without anybody telling.
    this.#levelsEnd.set(view.levelsEndAt, () => {
      void this.ask()
      if (this.tree === tree) void tree.ask()
    })
    const topic = this.place?.topic ?? null
    if (topic === null) {
      if (before && topicsOf(view).length > 0) this.#openFirst(view)
      return
    }
    const isOpen = (tree: TreeView): boolean => findTopic(tree, topic)?.isLocked === false
    if (!isOpen(view) && (!before || isOpen(before))) {
      const name = findTopic(before, topic)?.name
      if (name !== undefined && !this.#removed.has(topic)) this.toasts.show(i18n.t.topic.vanished(name), true)
      this.#lastTopics.delete(keyOf(tree.account, tree.community))
      this.#leaveTopic()
      this.#setPlace({ account: tree.account, community: tree.community, topic: null })
      this.#openFirst(view)
    }
  }

  #openFirst(view: TreeView): void {
    const first = topicsOf(view).find((topic) => !topic.isLocked)
    if (first) this.openTopic(first.id)
  }

  #closeCommunity(): void {
    this.#leaveTopic()
    this.tree = null
    this.members = null
  }

  #leaveTopic(): void {
    if (this.composer) this.#composers.leave(this.composer)
    this.timeline?.leave()
    this.timeline = null
    this.composer = null
  }

  #setPlace(place: Place): void {
    this.closePerson()
    this.place = place
    this.api.setPlace(place).catch(() => undefined)
  }
}

const keyOf = (account: string, community: string): string => `${account} ${community}`

const isOpen = (
  open: { account: string; community: string } | null,
  change: { account: string; community: string },
): boolean => open?.community === change.community && open.account === change.account

const KEY = Symbol('window')

export function provideWindow(window: WindowState): void {
  setContext(KEY, window)
}

export function useWindow(): WindowState {
  return getContext<WindowState>(KEY)
}
