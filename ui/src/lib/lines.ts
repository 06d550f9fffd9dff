// Heights of lines of which only those near the view are in the page, and which lines those are.

/** So many lines are measured before their mean stands for the others. */
const ENOUGH = 8
/** Two lines of text and what is around them, until lines have been measured. */
const FIRST_GUESS_PX = 56

/** Lines `from` up to `to`, without `to`. */
export type Range = { from: number; to: number }

export class Heights {
  readonly #known = new Map<string, number>()
  #sum = 0

  set(key: string, px: number): void {
    this.#sum += px - (this.#known.get(key) ?? 0)
    this.#known.set(key, px)
  }

  of(key: string): number {
    return this.#known.get(key) ?? this.#guess()
  }

  /** The height of the lines of a range together. */
  sum(keys: readonly string[], range: Range): number {
    let px = 0
    for (let index = range.from; index < range.to; index += 1) px += this.of(keys[index] ?? '')
    return px
  }

  /** The line at a distance from the first one's top, and where its own top is. */
  lineAt(keys: readonly string[], px: number): { index: number; top: number } {
    let top = 0
    for (let index = 0; index < keys.length; index += 1) {
      const height = this.of(keys[index] ?? '')
      if (top + height > px || index === keys.length - 1) return { index, top }
      top += height
    }
    return { index: 0, top: 0 }
  }

  /** The lines that lie within `above` pixels before the top of one line and `below` pixels behind it. */
  around(keys: readonly string[], index: number, above: number, below: number): Range {
    let from = index
    for (let px = 0; from > 0 && px < above; px += this.of(keys[from] ?? '')) from -= 1
    let to = index
    for (let px = 0; to < keys.length && px < below; to += 1) px += this.of(keys[to] ?? '')
    return { from, to }
  }

  /** Forgets lines that are gone. */
  keep(keys: readonly string[]): void {
    if (this.#known.size <= keys.length * 2) return
    const kept = new Set(keys)
    for (const [key, px] of this.#known) {
      if (kept.has(key)) continue
      this.#known.delete(key)
      this.#sum -= px
    }
  }

  #guess(): number {
    return this.#known.size < ENOUGH ? FIRST_GUESS_PX : this.#sum / this.#known.size
  }
}

/**
 * The line that a view holds on to after its own line is gone: the first of those that were in view, from the top, and
 * is still there.
 */
export function survivor<T extends { key: string }>(seen: readonly T[], keys: readonly string[]): T | undefined {
  const left = new Set(keys)
  return seen.find((line) => left.has(line.key))
}
