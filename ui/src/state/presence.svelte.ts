// Whether somebody looks at the timeline. A message is read when it was seen, so all of this has to hold (docs/reading.md):
// the window has the keyboard, it is visible, nothing lies over the timeline, and there was a key, a pointer or a wheel in
// it within two minutes.

/** Without any input for so long nobody is there. */
export const AWAY_MS = 2 * 60_000

export type Scene = {
  /** The window has the keyboard. */
  isFocused: boolean
  /** It is not minimised, nor on another workspace, as far as the system says so. */
  isVisible: boolean
  /** A dialog lies over the timeline, or the member panel does. */
  isCovered: boolean
  /** For how long the person has done nothing in the window, in milliseconds. */
  idle: number
}

export function isHere(scene: Scene): boolean {
  return scene.isFocused && scene.isVisible && !scene.isCovered && scene.idle < AWAY_MS
}

/**
 * A stopwatch by both clocks, of which the one that says more is right: the time of day may be set back, and the other
 * may stand still while the computer sleeps.
 */
class Stopwatch {
  #day = Date.now()
  #running = performance.now()

  get elapsed(): number {
    return Math.max(Date.now() - this.#day, performance.now() - this.#running)
  }
}

export class Presence {
  #sinceInput = new Stopwatch()
  #isFocused = false
  #isVisible = true
  #isCovered = false
  #wasHere = false
  /** Counts the times that somebody came back. */
  returns = $state(0)

  /** Whether somebody looks now. Asked for before something counts as seen, it notices that nobody was there meanwhile. */
  get isHere(): boolean {
    const is = isHere({
      isFocused: this.#isFocused,
      isVisible: this.#isVisible,
      isCovered: this.#isCovered,
      idle: this.#sinceInput.elapsed,
    })
    if (is && !this.#wasHere) this.returns += 1
    this.#wasHere = is
    return is
  }

  /** A key, a pointer, a wheel; or the focus moved, which is all that a screen reader lets the page see. */
  input(): void {
    void this.isHere
    this.#sinceInput = new Stopwatch()
    void this.isHere
  }

  /** How the window stands. Whoever brings it to the front is there. */
  window(isFocused: boolean, isVisible: boolean): void {
    const isTaken = isFocused && !this.#isFocused
    this.#isFocused = isFocused
    this.#isVisible = isVisible
    if (isTaken) this.#sinceInput = new Stopwatch()
    void this.isHere
  }

  cover(isCovered: boolean): void {
    this.#isCovered = isCovered
    void this.isHere
  }
}

const INPUTS = ['keydown', 'pointerdown', 'pointermove', 'wheel', 'focusin'] as const

/** Follows the events of a page; gives back what ends that. */
export function followPage(presence: Presence, page: Window = window): () => void {
  const input = (): void => presence.input()
  const stand = (): void => presence.window(page.document.hasFocus(), !page.document.hidden)
  for (const name of INPUTS) page.addEventListener(name, input, { capture: true, passive: true })
  for (const name of ['focus', 'blur']) page.addEventListener(name, stand)
  page.document.addEventListener('visibilitychange', stand)
  stand()
  return () => {
    for (const name of INPUTS) page.removeEventListener(name, input, { capture: true })
    for (const name of ['focus', 'blur']) page.removeEventListener(name, stand)
    page.document.removeEventListener('visibilitychange', stand)
  }
}
