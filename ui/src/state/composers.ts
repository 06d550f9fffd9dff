// The composers of this window: that of the open topic, and those of topics that were left before all of what was written
// there was stored. What such a topic's view says of its draft may be older than they are, so whoever comes back meanwhile
// gets the composer that was left, and not a new one that begins with what the view says.
import type { Api } from '../api'
import { ComposerState } from './composer.svelte'

export class Composers {
  readonly #left = new Map<string, ComposerState>()

  constructor(
    private readonly api: Api,
    private readonly onFailed: (thrown: unknown) => void,
  ) {}

  open(account: string, topic: string): ComposerState {
    const key = keyOf(account, topic)
    const left = this.#left.get(key)
    this.#left.delete(key)
    if (left?.isStored === false) return left
    return new ComposerState(this.api, account, topic, this.onFailed)
  }

  leave(composer: ComposerState): void {
    composer.leave()
    this.#left.set(keyOf(composer.account, composer.topic), composer)
    for (const [key, left] of this.#left) {
      if (left.isStored) this.#left.delete(key)
      // What could not be stored is tried again.
      else if (left !== composer) left.flush()
    }
  }

  /** Of an account that is not on this computer any more nothing is kept. */
  keepOf(accounts: readonly { key: string }[]): void {
    for (const [key, { account }] of this.#left)
      if (!accounts.some((other) => other.key === account)) this.#left.delete(key)
  }
}

const keyOf = (account: string, topic: string): string => `${account} ${topic}`
