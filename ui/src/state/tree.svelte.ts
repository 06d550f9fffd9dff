// The tree of the open community.
import { reasonOf, type Api, type BadgesView, type TreeView, type WindowError } from '../api'
import { inTree } from '../lib/badges'
import type { Badges } from './badges'
import { Reread } from './reread'

export class TreeState {
  view = $state.raw<TreeView | null>(null)
  error = $state.raw<WindowError | null>(null)
  readonly #reread: Reread

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly community: string,
    private readonly badges: Badges,
    private readonly onRead: (view: TreeView, before: TreeView | null) => void,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  /** How many members there are changed, and nothing else. */
  async count(): Promise<void> {
    try {
      const counts = await this.api.countsView(this.account, this.community)
      if (this.view) this.view = { ...this.view, ...counts }
    } catch {
      // What is shown of it was true a moment ago.
    }
  }

  /** Numbers that were read by themselves. */
  take(read: BadgesView): void {
    if (this.view) this.view = inTree(this.view, read)
  }

  async #read(): Promise<void> {
    const end = this.badges.during()
    try {
      const before = this.view
      const view = await this.api.treeView(this.account, this.community)
      this.view = view
      end()
      this.error = null
      this.onRead(view, before)
    } catch (thrown) {
      this.error = reasonOf(thrown)
    } finally {
      end()
    }
  }
}
