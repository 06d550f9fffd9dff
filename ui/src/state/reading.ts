// How far the person has read a topic, told to the program at most once a second and on leaving.
//
// Read is what was seen, without a gap: whoever jumps to the end has not read what lies between. Rows are seen in
// stretches; the cursor moves through those that continue it.

/** Between two advances of a topic. */
const PAUSE_MS = 1_000

/** Of a row so much has to be in view at its end, or all of it. */
const END_PX = 24

/** Where a row stands, and the box in which rows are shown; pixels from one edge. */
export type Box = { readonly top: number; readonly bottom: number }

/** Whether a row counts as seen: its end is on the screen. So one that is higher than the window counts at its end. */
export function isSeen(row: Box, view: Box): boolean {
  const room = Math.min(END_PX, row.bottom - row.top)
  // Positions are parts of pixels.
  return row.bottom <= view.bottom + 1 && row.bottom - room >= view.top - 1
}

/** Whether anything of a row is in view. */
export function isInView(row: Box, view: Box): boolean {
  return row.bottom > view.top && row.top < view.bottom
}

/** Rows one after the other, from the first to the last. */
type Stretch = { from: number; to: number }

export class Reading {
  /** What was seen and does not continue what is read. */
  #seen: Stretch[] = []
  #readTo = 0
  #told = 0
  #timer: ReturnType<typeof setTimeout> | null = null
  #isHeld = false

  constructor(private readonly advance: (seq: number) => void) {}

  /** Marked unread by hand: nothing advances until the topic is entered again. */
  get isHeld(): boolean {
    return this.#isHeld
  }

  hold(): void {
    this.#isHeld = true
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
  }

  /** Marked read by hand: what is seen counts again. */
  letGo(): void {
    this.#isHeld = false
  }

  /** The program says that everything up to here is read. */
  readTo(seq: number): void {
    this.#readTo = Math.max(this.#readTo, seq)
    this.#told = Math.max(this.#told, seq)
    this.#follow()
  }

  /** These rows, one after the other without a gap, were on the screen while somebody looked. */
  saw(from: number, to: number): void {
    if (this.#isHeld || to <= this.#readTo) return
    let stretch = { from, to }
    const apart: Stretch[] = []
    for (const other of this.#seen) {
      if (other.to < stretch.from - 1 || other.from > stretch.to + 1) apart.push(other)
      else stretch = { from: Math.min(other.from, stretch.from), to: Math.max(other.to, stretch.to) }
    }
    this.#seen = [...apart, stretch]
    this.#follow()
  }

  leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#isHeld && this.#readTo > this.#told) this.#tell()
  }

  /** Moves through the stretches that continue what is read. */
  #follow(): void {
    this.#seen.sort((a, b) => a.from - b.from)
    for (const { from, to } of this.#seen) if (from <= this.#readTo + 1) this.#readTo = Math.max(this.#readTo, to)
    this.#seen = this.#seen.filter(({ to }) => to > this.#readTo)
    if (this.#isHeld || this.#readTo <= this.#told || this.#timer !== null) return
    this.#tell()
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#readTo > this.#told) this.#tell()
    }, PAUSE_MS)
  }

  #tell(): void {
    this.#told = this.#readTo
    this.advance(this.#readTo)
  }
}
