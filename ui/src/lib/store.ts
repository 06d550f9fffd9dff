// An account's history on this computer.
import type { AccountView, StoreTrouble } from '../api'

/** What keeps an account from showing anything; a full disk keeps it only from writing, unless it never opened. */
export function troubleOf(account: AccountView): StoreTrouble | null {
  const { trouble } = account.store
  return trouble === 'noRoom' && account.communities.length > 0 ? null : trouble
}
