// The shown part of a community's members.
import { reasonOf, type Api, type MemberView, type MembersView, type WindowError } from '../api'
import { Reread } from './reread'

/** Members that are listed at first, and so many more whenever more are asked for. */
const STEP = 200
/** A search starts this long after the last key. */
const SEARCH_MS = 150

export class MembersState {
  view = $state.raw<MembersView | null>(null)
  error = $state.raw<WindowError | null>(null)
  prefix = $state('')

  #timer: ReturnType<typeof setTimeout> | null = null
  readonly #reread: Reread
  #limit = STEP

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly community: string,
    readonly topic: string | null,
    /** Reads another list of them than that of those who see the topic. */
    private readonly list?: (prefix: string, limit: number) => Promise<MembersView>,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  /** Who is shown, each once: somebody in several member groups stands in several sections. */
  get everybody(): MemberView[] {
    const members = (this.view?.sections ?? []).flatMap((section) => section.members)
    return [...new Map(members.map((member) => [member.id, member])).values()]
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  more(): Promise<void> {
    this.#limit += STEP
    return this.ask()
  }

  search(prefix: string): void {
    this.prefix = prefix
    this.#limit = STEP
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => void this.ask(), SEARCH_MS)
  }

  async #read(): Promise<void> {
    const prefix = this.prefix.trim()
    try {
      const view = await (this.list
        ? this.list(prefix, this.#limit)
        : this.api.membersView(this.account, this.community, this.topic, prefix, this.#limit))
      // What was typed meanwhile is searched for next.
      if (prefix !== this.prefix.trim()) return
      this.view = view
      this.error = null
    } catch (thrown) {
      if (prefix === this.prefix.trim()) this.error = reasonOf(thrown)
    }
  }
}
