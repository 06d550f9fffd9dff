// What the system's keyring does with the sign-ins of two accounts.
import type { AccountView, KeptView, KeyringView } from '../../src/api'
import type { StandIn } from '../../src/testing/stand-in'
import { account } from '../../src/testing/views'
import { firstStartScene, fullScene, type Tongue } from '../scenes'

type Theme = 'light' | 'dark'

const like = (one: AccountView, kept: KeptView): AccountView => {
  const isOut = kept === 'unread' || kept === 'unforgotten'
  const state = isOut ? 'signedOut' : kept === 'reading' ? 'connecting' : 'synced'
  return { ...one, kept, connection: { state } }
}

/** How it keeps the open account, and another one. */
export function keptScene(lang: Tongue, theme: Theme, keyring: KeyringView, mine: KeptView, other: KeptView): StandIn {
  const api = fullScene(lang, theme)
  const name =
    lang === 'zh-CN' ? { displayName: '工作', serverName: '办公室' } : { displayName: 'Work', serverName: 'Office' }
  const work = account({ key: 's9.work', ...name, communities: [] })
  const [first] = api.app.accounts
  if (first) api.app = { ...api.app, keyring, accounts: [like(first, mine), like(work, other)] }
  return api
}

/** The first start with a keyring that does not work. */
export function firstKeyringScene(lang: Tongue, theme: Theme, keyring: KeyringView): StandIn {
  const api = firstStartScene(lang, theme)
  api.app = { ...api.app, keyring }
  return api
}
