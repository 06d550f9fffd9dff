// A form's try: busy while it runs, with the reason when it was refused.
import { reasonOf, type WindowError } from '../api'

export class Attempt {
  isBusy = $state(false)
  error = $state.raw<WindowError | null>(null)

  /** Runs one at a time; true when it went through. */
  async run(act: () => Promise<unknown>): Promise<boolean> {
    if (this.isBusy) return false
    this.isBusy = true
    this.error = null
    try {
      await act()
      return true
    } catch (thrown) {
      this.error = reasonOf(thrown)
      return false
    } finally {
      this.isBusy = false
    }
  }
}
