// The tree of the open community.
import { reasonOf, type Api, type TreeView, type WindowError } from '../api'
import { Reread } from './reread'

export class TreeState {
  view = $state.raw<TreeView | null>(null)
  error = $state.raw<WindowError | null>(null)
  readonly #reread: Reread

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly community: string,
    private readonly onRead: (view: TreeView, before: TreeView | null) => void,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  async #read(): Promise<void> {
    try {
      const before = this.view
      const view = await this.api.treeView(this.account, this.community)
      this.view = view
      this.error = null
      this.onRead(view, before)
    } catch (thrown) {
      this.error = reasonOf(thrown)
    }
  }
}
