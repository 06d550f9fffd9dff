// Asks before somebody takes a right from himself.
import type { Action } from '../api'
import { i18n } from '../i18n.svelte'
import { isHarmless, lossesBy, type Loss, type RightsAction } from '../lib/lockout'
import type { WindowState } from './window.svelte'

/** Places that are named; the others are counted. */
const NAMED = 3

function said({ place, name, rights }: Loss): string {
  const t = i18n.t.admin
  const where =
    place.level === 'community' ? t.fromCommunity : place.level === 'group' ? t.fromGroup(name) : t.fromTopic(name)
  if (rights.includes('view')) return i18n.t.lockout.view(where)
  return i18n.t.lockout.loses(i18n.list(rights.map((right) => `“${i18n.permission(right)}”`)), where)
}

/** What a change would take from the person who makes it, in words; empty if nothing, and for the owner, who keeps everything. */
export async function warningOf(
  window: WindowState,
  account: string,
  community: string,
  action: RightsAction,
): Promise<string> {
  const me = window.view?.accounts.find((one) => one.key === account)?.accountId
  if (me === undefined || window.tree?.view?.isOwner !== false) return ''
  const person = await window.api.personView(account, community, null, me, false)
  const memberGroups = person.memberGroups.map((one) => one.id)
  if (isHarmless(action, me, memberGroups)) return ''
  const others = action.type === 'moveTopic' ? [] : [action.memberGroup]
  const wanted = new Set(['everyone', ...memberGroups, ...others])
  const tables = await Promise.all([...wanted].map((id) => window.api.rightsView(account, community, id)))
  const losses = lossesBy(action, { memberGroups, tables })
  if (losses.length === 0) return ''
  const more = losses.length > NAMED ? i18n.t.lockout.more(i18n.number(losses.length - NAMED)) : ''
  return i18n.sentences(...losses.slice(0, NAMED).map(said), more, i18n.t.lockout.back)
}

/** Does what changes rights; who would take one from himself is asked first. */
export async function minding(
  window: WindowState,
  account: string,
  community: string,
  action: RightsAction,
  run: () => Promise<unknown>,
): Promise<void> {
  const text = await warningOf(window, account, community, action)
  if (text === '') await run()
  else ask(window, text, run)
}

/** Moves a topic or a group; who would lose a right by where it goes is asked first. */
export async function move(window: WindowState, action: Action): Promise<void> {
  const account = window.place?.account
  if (account === undefined || action.type !== 'moveTopic') {
    await window.act(action)
    return
  }
  await window.run(minding(window, account, action.community, action, () => window.api.submit(account, action)))
}

/** Asks, and does it when that is wanted. */
export function ask(window: WindowState, text: string, run: () => Promise<unknown>): void {
  window.dialogs.show({ kind: 'confirm', title: i18n.t.lockout.title, text, action: i18n.t.lockout.action, run })
}
