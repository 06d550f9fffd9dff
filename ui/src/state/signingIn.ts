// Whom to ask to sign in: without a keyring nobody is signed in at the start.
import type { AppView } from '../api'

export class SigningIn {
  /** Accounts that were signed in since the start, or asked to. */
  readonly #known = new Set<string>()

  /** Those to be asked: once, and not those who signed out by hand. */
  toAsk(view: AppView): string[] {
    const asked: string[] = []
    for (const { key, connection } of view.accounts) {
      if (connection.state === 'syncing' || connection.state === 'synced') this.#known.add(key)
      if (connection.state !== 'signedOut' || this.#known.has(key) || view.keyring !== 'missing') continue
      this.#known.add(key)
      asked.push(key)
    }
    return asked
  }
}
