// The person whose card is shown: what is remembered at once, then what the server says.
import { reasonOf, type Api, type PersonView, type WindowError } from '../api'
import { Reread } from './reread'

/** Who somebody is, as far as the place that names him knows. */
export type Named = { id: string; name: string; accountName?: string | null }

export class PersonState {
  view = $state.raw<PersonView | null>(null)
  error = $state.raw<WindowError | null>(null)
  readonly #reread: Reread
  #isRemembered = false

  constructor(
    private readonly api: Api,
    readonly account: string,
    readonly community: string,
    readonly topic: string | null,
    readonly who: Named,
    /** What was clicked: the card stands beside it, and gives the keyboard back to it. */
    readonly opener: HTMLElement,
  ) {
    this.#reread = new Reread(() => this.#read())
  }

  ask(): Promise<void> {
    return this.#reread.ask()
  }

  async #read(): Promise<void> {
    try {
      if (!this.#isRemembered) {
        this.view = await this.#ask(false)
        this.#isRemembered = true
      }
      this.view = await this.#ask(true)
      this.error = null
    } catch (thrown) {
      this.error = reasonOf(thrown)
    }
  }

  #ask(asks: boolean): Promise<PersonView> {
    return this.api.personView(this.account, this.community, this.topic, this.who.id, asks)
  }
}
