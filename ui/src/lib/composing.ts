// Which keys belong to an input method (Chinese, Japanese, Korean …) and must not be taken for the window's.

export class ComposingKeys {
  #isComposing = false
  #hasJustEnded = false

  start(): void {
    this.#isComposing = true
  }

  /** Some web views end a composition before they report the Enter that ended it, within the same turn. */
  end(): void {
    this.#isComposing = false
    this.#hasJustEnded = true
    setTimeout(() => (this.#hasJustEnded = false))
  }

  owns(event: KeyboardEvent): boolean {
    return (
      event.isComposing || event.keyCode === 229 || this.#isComposing || (this.#hasJustEnded && event.key === 'Enter')
    )
  }
}
