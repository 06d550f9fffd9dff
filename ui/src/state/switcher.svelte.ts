// The topics that can be jumped to: every open one of every community on every account.
import { reasonOf, type Api, type AppView, type JumpView, type WindowError } from '../api'
import { fitIn, folded } from '../lib/search'
import { isUnread } from '../lib/topics'
import { Reread } from './reread'

/** So many are listed; whoever looks for another types on. */
const SHOWN = 50

export type Jump = JumpView & { account: string }
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
    let error: WindowError | null = null
    const parts = await Promise.all(
      (this.view()?.accounts ?? []).map(async ({ key: account }): Promise<Indexed[]> => {
        try {
          const jumps = await this.api.topicsView(account)
          return jumps.map((jump) => ({
            ...jump,
            account,
            name: folded(jump.topic.name),
            whole: folded(`${jump.communityName} ${jump.group} ${jump.topic.name}`),
            rest: isUnread(jump.topic.badge) ? 0 : 1,
          }))
        } catch (thrown) {
          error = reasonOf(thrown)
          return []
        }
      }),
    )
    this.#index = parts.flat()
    this.error = error
    this.isLoaded = true
  }
}
