// What is being loaded is said once it takes long enough to be noticed, in one region that stands in the window: one that came
// with its words would mostly not be heard.

/** What comes sooner is not worth a word. */
const NOTICED_MS = 300

class Waiting {
  #count = $state(0)

  get isOn(): boolean {
    return this.#count > 0
  }

  /** Something is waited for as long as the element is there that shows it: `{@attach waiting.here}`. */
  readonly here = (): (() => void) => {
    let isNoticed = false
    const timer = setTimeout(() => {
      isNoticed = true
      this.#count += 1
    }, NOTICED_MS)
    return () => {
      clearTimeout(timer)
      if (isNoticed) this.#count -= 1
    }
  }
}

export const waiting = new Waiting()
