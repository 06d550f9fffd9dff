// Which day it is here. It changes at midnight, also when the computer slept through it.

/** A timer may be late after the computer slept; looking again so often costs nothing. */
const LOOK_MS = 60_000

/** The beginning of a day, as this computer's time zone has it. */
export function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0)
}

class Today {
  /** When it began, in milliseconds since 1970. */
  start = $state(startOfDay(Date.now()))

  constructor() {
    setInterval(() => this.look(), LOOK_MS)
    document.addEventListener('visibilitychange', () => this.look())
    addEventListener('focus', () => this.look())
    this.#waitForMidnight()
  }

  look(): void {
    const start = startOfDay(Date.now())
    if (start !== this.start) this.start = start
  }

  /** How many midnights ago it was. Days are not always 24 hours long. */
  daysSince(ms: number): number {
    return Math.round((this.start - startOfDay(ms)) / 86_400_000)
  }

  #waitForMidnight(): void {
    const next = new Date(this.start)
    next.setDate(next.getDate() + 1)
    setTimeout(
      () => {
        this.look()
        this.#waitForMidnight()
      },
      Math.max(1_000, next.getTime() - Date.now()),
    )
  }
}

/** The day of the window. */
export const today = new Today()
