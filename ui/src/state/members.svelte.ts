// The listed part of a community's members, a page at a time. When something of them changed, the pages that are looked at
// are read again; the others when they come into view.
import { reasonOf, type Api, type MemberSection, type MembersView, type MemberView, type WindowError } from '../api'
import { Reread } from './reread'

/** Members of a page. */
const STEP = 200
/**
 * Who comes and goes is seen this long after, where it is looked at: at once among few. In a large community somebody always
 * does, and each who looks asks the server.
 */
const LATER = { leastMs: 1_000, eachMs: 10, mostMs: 60_000 }
/** A search starts this long after the last key. */
const SEARCH_MS = 150

type Page = { after: string | null; view: MembersView; isStale: boolean }

export class MembersState {
  view = $state.raw<MembersView | null>(null)
  error = $state.raw<WindowError | null>(null)
  prefix = $state('')

  /** What nobody looks at is not asked for. */
  isShown = true

  #timer: ReturnType<typeof setTimeout> | null = null
  #later: ReturnType<typeof setTimeout> | null = null
  readonly #reread: Reread
  #pages: Page[] = []
  #wanted = 1
  /** How often something changed. */
  #changes = 0
  /** The part of the list that is looked at, from 0 to 1. */
  #looked = { from: 0, to: 1 }

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly community: string,
    readonly topic: string | null,
    /** Reads another list of them than that of those who see the topic. */
    private readonly list?: (prefix: string, limit: number, after: string | null) => Promise<MembersView>,
    /** How many members the community has, where that is known. */
    private readonly all: () => number | null = () => null,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  /** Who is shown, each once: somebody in several member groups stands in several sections. */
  get everybody(): MemberView[] {
    const members = (this.view?.sections ?? []).flatMap((section) => section.members)
    return [...new Map(members.map((member) => [member.id, member])).values()]
  }

  /** Something of them changed. */
  ask(): Promise<void> {
    this.#changes += 1
    for (const page of this.#pages) page.isStale = true
    return this.isShown ? this.#reread.ask() : Promise.resolve()
  }

  /** Somebody came or went. */
  askLater(): void {
    if (!this.isShown || this.#later !== null) return
    // Of a search few are listed, and of a list that was refused nobody: that says nothing of who looks.
    const all = this.all() ?? Infinity
    this.#later = setTimeout(
      () => {
        this.#later = null
        void this.ask()
      },
      Math.min(Math.max(all * LATER.eachMs, LATER.leastMs), LATER.mostMs),
    )
  }

  /** It is looked at from here on; until what this returns is called. */
  show(): () => void {
    this.isShown = true
    void this.ask()
    return () => (this.isShown = false)
  }

  more(): Promise<void> {
    this.#wanted = this.#pages.length + 1
    return this.#reread.ask()
  }

  /** A part of the list is in view. */
  look(from: number, to: number): void {
    this.#looked = { from, to }
    if (this.#due() < this.#pages.length) void this.#reread.ask()
  }

  search(prefix: string): void {
    this.prefix = prefix
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#begin()
      this.#wanted = 1
      void this.#reread.ask()
    }, SEARCH_MS)
  }

  /** The list begins anew; what is shown stays until the first page is here. */
  #begin(): void {
    this.#pages = []
    this.#looked = { from: 0, to: 1 }
  }

  /** The page to be read next, or how many are wanted. */
  #due(): number {
    const sizes = this.#pages.map(({ view }) => view.sections.reduce((sum, one) => sum + one.members.length, 0))
    const all = sizes.reduce((sum, size) => sum + size, 0)
    let before = 0
    for (const [at, page] of this.#pages.entries()) {
      const end = before + (sizes[at] ?? 0)
      const isSeen = before <= this.#looked.to * all && end >= this.#looked.from * all
      if (page.isStale && isSeen) return at
      before = end
    }
    const isAtEnd = this.#pages.length > 0 && this.#pages.at(-1)?.view.next === null
    return isAtEnd ? this.#wanted : this.#pages.length
  }

  async #read(): Promise<void> {
    for (let at = this.#due(); at < this.#wanted; at = this.#due()) {
      const prefix = this.prefix.trim()
      const pages = this.#pages
      const after = at === 0 ? null : (pages[at - 1]?.view.next ?? null)
      try {
        const changes = this.#changes
        const view = await (this.list
          ? this.list(prefix, STEP, after)
          : this.api.membersView(this.account, this.community, this.topic, prefix, STEP, after))
        // What was typed meanwhile is searched for next.
        if (prefix !== this.prefix.trim() || pages !== this.#pages) return
        // What changed while it was on its way makes it stale again.
        this.#put(at, { after, view, isStale: changes !== this.#changes })
        this.error = null
      } catch (thrown) {
        if (prefix === this.prefix.trim()) this.error = reasonOf(thrown)
        return
      }
    }
  }

  #put(at: number, page: Page): void {
    // With the link comes another list, in which the places of this one mean nothing.
    if (at > 0 && page.view.isFresh !== this.#pages[0]?.view.isFresh) {
      this.#begin()
      return
    }
    this.#pages[at] = page
    const next = this.#pages[at + 1]
    if (page.view.next === null) this.#pages.length = at + 1
    else if (next && next.after !== page.view.next) next.isStale = true
    this.view = merged(this.#pages, page)
  }
}

/** Pages as one list. Of how many a section has, the page that was read last knows best. */
function merged(pages: readonly Page[], last: Page): MembersView {
  const sections = new Map<string | null, MemberSection>()
  for (const { view } of pages) {
    for (const section of view.sections) {
      const before = sections.get(section.memberGroup)
      // A page that is not looked at may have somebody who moved to the one before it.
      const held = new Set(before?.members.map((member) => member.id))
      const members = [...(before?.members ?? []), ...section.members.filter((member) => !held.has(member.id))]
      sections.set(section.memberGroup, { ...section, members })
    }
  }
  for (const section of last.view.sections) {
    const whole = sections.get(section.memberGroup)
    if (whole) whole.count = Math.max(section.count, whole.members.length)
  }
  return { ...last.view, sections: [...sections.values()], next: pages.at(-1)?.view.next ?? null }
}
