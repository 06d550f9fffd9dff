// Numbers that moved. Those of one topic are read without the tree that it stands in, so a message costs the same in a
// community of five thousand topics.
import type { Api, BadgesView, Change } from '../api'
import { Reread } from './reread'

type Moved = Extract<Change, { type: 'badge' }>
type Place = { account: string; community: string; topics: Set<string> }

export class Badges {
  readonly #reread: Reread
  /** What is to be read, by community. */
  #moved = new Map<string, Place>()
  /** What moved since a view that is on its way was asked for, for each of them. */
  readonly #meanwhile = new Set<Moved[]>()
  /** Counts views that came. */
  #views = 0

  constructor(
    private readonly api: Api,
    private readonly onRead: (account: string, community: string, read: BadgesView) => void,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  hear(moved: Moved): void {
    for (const since of this.#meanwhile) since.push(moved)
    this.#note(moved.account, moved.community, [moved.topic])
    void this.#reread.ask()
  }

  /**
   * A view that holds numbers as well is asked for. It may be older than what moves until it comes: that is read again
   * once the answer, which is to be called then, is shown.
   */
  during(): () => void {
    const since: Moved[] = []
    this.#meanwhile.add(since)
    return () => {
      if (!this.#meanwhile.delete(since)) return
      this.#views += 1
      since.forEach((moved) => this.hear(moved))
    }
  }

  #note(account: string, community: string, topics: Iterable<string>): void {
    const key = `${account} ${community}`
    const place = this.#moved.get(key) ?? { account, community, topics: new Set() }
    for (const topic of topics) place.topics.add(topic)
    this.#moved.set(key, place)
  }

  async #read(): Promise<void> {
    // All that one batch of notes names is read at once.
    await Promise.resolve()
    const moved = this.#moved
    this.#moved = new Map()
    for (const { account, community, topics } of moved.values()) {
      const views = this.#views
      const read = await this.api.badgesView(account, community, [...topics]).catch(() => null)
      // A community that is gone, or a store that cannot be read, is told by the views.
      if (!read) continue
      if (views === this.#views) this.onRead(account, community, read)
      // A view came meanwhile, which may be newer than what was read.
      else this.#note(account, community, topics)
    }
    if (this.#moved.size > 0) void this.#reread.ask()
  }
}
