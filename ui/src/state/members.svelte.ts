// The shown part of a community's members.
import { reasonOf, type Api, type MembersView, type WindowError } from '../api'
import { Reread } from './reread'

/** Members asked for at a time. */
const LIMIT = 200
/** A search starts this long after the last key. */
const SEARCH_MS = 150

export class MembersState {
  view = $state.raw<MembersView | null>(null)
  error = $state.raw<WindowError | null>(null)
  prefix = $state('')

  #timer: ReturnType<typeof setTimeout> | null = null
  readonly #reread: Reread

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly community: string,
    readonly topic: string | null,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  search(prefix: string): void {
    this.prefix = prefix
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.ask(), SEARCH_MS)
  }

  async #read(): Promise<void> {
    try {
      this.view = await this.api.membersView(this.account, this.community, this.topic, this.prefix.trim(), LIMIT)
      this.error = null
    } catch (thrown) {
      this.error = reasonOf(thrown)
    }
  }
}
