// Whom an `@` may mean: looked for a moment after the last letter, and an answer that was overtaken is nobody's.
import type { Mentionable } from '../components/mentionable'

const PAUSE_MS = 100
/** As many are offered. */
export const OFFERED = 8

export class MentionSearch {
  found = $state.raw<readonly Mentionable[]>([])
  /** Which of them Enter takes. */
  chosen = $state(0)
  /** What was typed, and where its `@` stands. */
  at = $state.raw<{ start: number; prefix: string } | null>(null)
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(private readonly find: (prefix: string) => Promise<readonly Mentionable[]>) {}

  get isOpen(): boolean {
    return this.at !== null && this.found.length > 0
  }

  look(at: { start: number; prefix: string } | null): void {
    if (at === null) return this.close()
    if (this.at?.start === at.start && this.at.prefix === at.prefix) return
    const isNew = this.at?.start !== at.start
    this.at = at
    clearTimeout(this.#timer)
    // Until the answer comes, those who cannot be meant any more are not offered.
    const typed = at.prefix.toLowerCase()
    const chosen = this.found[this.chosen]
    this.found = isNew
      ? []
      : this.found.filter((one) => [one.name, one.accountName].some((name) => name.toLowerCase().startsWith(typed)))
    this.chosen = Math.max(0, chosen ? this.found.indexOf(chosen) : 0)
    this.#timer = setTimeout(() => void this.#ask(at), PAUSE_MS)
  }

  step(by: 1 | -1): void {
    this.chosen = (this.chosen + by + this.found.length) % this.found.length
  }

  close(): void {
    clearTimeout(this.#timer)
    this.at = null
    this.found = []
    this.chosen = 0
  }

  async #ask(at: { start: number; prefix: string }): Promise<void> {
    const found = await this.find(at.prefix).catch(() => [])
    if (this.at !== at) return
    const chosen = this.found[this.chosen]
    this.found = found.slice(0, OFFERED)
    this.chosen = Math.max(
      0,
      this.found.findIndex((one) => one.id === chosen?.id),
    )
  }
}
