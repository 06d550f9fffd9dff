/** A reader that runs one at a time: asked again meanwhile, it runs once more afterwards, however often it was asked. */
export class Reread {
  #running: Promise<void> | null = null
  #isAskedAgain = false

  constructor(private readonly read: () => Promise<void>) {}

  ask(): Promise<void> {
    if (this.#running) {
      this.#isAskedAgain = true
      return this.#running
    }
    this.#running = this.#run()
    return this.#running
  }

  async #run(): Promise<void> {
    try {
      do {
        this.#isAskedAgain = false
        await this.read()
      } while (this.#isAskedAgain)
    } finally {
      this.#running = null
    }
  }
}
