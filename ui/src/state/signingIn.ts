// Whom to ask to sign in: without a keyring nobody is signed in at the start.
import type { AppView } from '../api'

export class SigningIn {
  /** Accounts that were signed in since the start, or asked to. */
  readonly #known = new Set<string>()

  /** Who is to be asked next, unless somebody `isAsked`: each once, and not those who signed out by hand. */
  next(view: AppView, isAsked: boolean): string | undefined {
    for (const { key, connection } of view.accounts)
      if (connection.state === 'syncing' || connection.state === 'synced') this.#known.add(key)
    if (isAsked || view.keyring !== 'missing') return undefined
    const next = view.accounts.find(({ key, connection }) => connection.state === 'signedOut' && !this.#known.has(key))
    if (next) this.#known.add(next.key)
    return next?.key
  }
}
