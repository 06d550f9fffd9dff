// Which keys belong to an input method (Chinese, Japanese, Korean …) and must not be taken for the window's.

export class ComposingKeys {
  #isComposing = false
  #hasJustEnded = false

  /** A word is being composed: what stands in the field is half of it. */
  get isActive(): boolean {
    return this.#isComposing
  }

  start(): void {
    this.#isComposing = true
  }

  /** Some web views end a composition before they report the Enter that ended it, within the same turn. */
  end(): void {
    this.#isComposing = false
    this.#hasJustEnded = true
    setTimeout(() => (this.#hasJustEnded = false))
  }

  /** The field lost the keyboard: whatever was composed is over, even where no event says so. */
  leave(): void {
    this.#isComposing = false
  }

  owns(event: KeyboardEvent): boolean {
    return (
      event.isComposing || event.keyCode === 229 || this.#isComposing || (this.#hasJustEnded && event.key === 'Enter')
    )
  }
}
