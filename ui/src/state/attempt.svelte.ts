// A form's try: busy while it runs, with the reason when it was refused.
import { onDestroy } from 'svelte'
import { reasonOf, type WindowError } from '../api'
import { useWindow } from './window.svelte'

export class Attempt {
  isBusy = $state(false)
  error = $state.raw<WindowError | null>(null)

  /** The form is gone: a refusal that comes now is told by the window. */
  #isLeft = false
  readonly #window = useWindow()

  /** Made where its form is made. */
  constructor() {
    onDestroy(() => (this.#isLeft = true))
  }

  /** Runs one at a time; true when it went through. */
  async run(act: () => Promise<unknown>): Promise<boolean> {
    if (this.isBusy) return false
    this.isBusy = true
    this.error = null
    try {
      await act()
      return true
    } catch (thrown) {
      if (this.#isLeft) this.#window?.fail(thrown)
      else this.error = reasonOf(thrown)
      return false
    } finally {
      this.isBusy = false
    }
  }
}
