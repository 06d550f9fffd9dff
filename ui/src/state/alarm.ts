// Something happens at a time of day without anybody telling.

/** Clocks differ by a little: what is not over yet when it should be is looked at again after this, and not all the time. */
const SOONEST_MS = 1_000

/** Timers of a browser count up to here and no further. */
const LONGEST_TIMER_MS = 2 ** 31 - 1

export class Alarm {
  #timer: ReturnType<typeof setTimeout> | undefined

  /** Calls at a time, or never; what was set before is off. */
  set(at: number | null, call: () => void): void {
    clearTimeout(this.#timer)
    if (at === null) return
    const wait = Math.min(Math.max(at - Date.now(), 0) + SOONEST_MS, LONGEST_TIMER_MS)
    this.#timer = setTimeout(call, wait)
  }
}
