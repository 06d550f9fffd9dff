// Changes of settings that the program has not taken yet: shown at once, whatever is read meanwhile.
import type { Settings, SettingsPatch } from '../api'
import { patched } from '../lib/settings'

export class Patches {
  #onTheWay: readonly SettingsPatch[] = []

  add(patch: SettingsPatch): void {
    this.#onTheWay = [...this.#onTheWay, patch]
  }

  /** The program has taken it, or has not and said why. */
  end(patch: SettingsPatch): void {
    this.#onTheWay = this.#onTheWay.filter((other) => other !== patch)
  }

  over(settings: Settings): Settings {
    return this.#onTheWay.reduce(patched, settings)
  }
}
