// How far the person has read a topic, told to the program at most once a second and on leaving.

/** Between two advances of a topic. */
const PAUSE_MS = 1_000

export class Reading {
  #seen = 0
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

  /** A row was in view while the window was in front. */
  saw(seq: number): void {
    if (this.#isHeld || seq <= this.#seen) return
    this.#seen = seq
    if (this.#timer !== null) return
    this.#tell()
    this.#timer = setTimeout(() => {
      this.#timer = null
      if (this.#seen > this.#told) this.#tell()
    }, PAUSE_MS)
  }

  leave(): void {
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#timer = null
    if (!this.#isHeld && this.#seen > this.#told) this.#tell()
  }

  #tell(): void {
    this.#told = this.#seen
    this.advance(this.#seen)
  }
}
