// The topics that can be jumped to: every open one of every community on every account.
import { reasonOf, type Api, type AppView, type TopicView, type WindowError } from '../api'
import { fitIn, folded } from '../lib/search'
import { isUnread } from '../lib/topics'
import { Reread } from './reread'

/** So many are listed; whoever looks for another types on. */
const SHOWN = 50

export type Jump = { account: string; community: string; communityName: string; group: string; topic: TopicView }
/** A topic with what is looked for in it, made once and not for every key. */
type Indexed = Jump & { name: string; whole: string; rest: 0 | 1 }

export class SwitcherState {
  typed = $state('')
  /** Whether what can be found is all there is. */
  isLoaded = $state(false)
  /** Why something of it may be missing. */
  error = $state.raw<WindowError | null>(null)

  #index = $state.raw<readonly Indexed[]>([])
  readonly #reread: Reread

  readonly found = $derived.by<readonly Jump[]>(() => {
    const typed = folded(this.typed)
    // A stable sort over few classes: what fits equally well stays in the order of the trees.
    const classes: Indexed[][] = []
    for (const one of this.#index) {
      const fits = fitIn(one.name, typed) ?? fitIn(one.whole, typed)
      if (fits !== null) (classes[fits * 2 + one.rest] ??= []).push(one)
    }
    return classes.flat().slice(0, SHOWN)
  })

  constructor(
    private readonly api: Api,
    private readonly view: () => AppView | null,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  async #read(): Promise<void> {
    const places = (this.view()?.accounts ?? []).flatMap((account) =>
      account.communities.map((tile) => ({ account: account.key, community: tile.id })),
    )
    let error: WindowError | null = null
    const parts = await Promise.all(
      places.map(async ({ account, community }): Promise<Indexed[]> => {
        try {
          const tree = await this.api.treeView(account, community)
          return tree.groups.flatMap((group) =>
            group.topics
              .filter((topic) => !topic.isLocked)
              .map((topic) => ({
                account,
                community,
                communityName: tree.name,
                group: group.name,
                topic,
                name: folded(topic.name),
                whole: folded(`${tree.name} ${group.name} ${topic.name}`),
                rest: isUnread(topic.badge) ? 0 : 1,
              })),
          )
        } catch (thrown) {
          // A community that was just made has no tree yet; the others are found all the same.
          const reason = reasonOf(thrown)
          if (reason.code !== 'not_found') error = reason
          return []
        }
      }),
    )
    this.#index = parts.flat()
    this.error = error
    this.isLoaded = true
  }
}
