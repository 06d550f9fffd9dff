// Ways into a server: afterwards the window is there, and a new account's recovery codes are shown, once.
import { reasonOf, type HostInput, type JoinInput } from '../api'
import { i18n } from '../i18n.svelte'
import type { WindowState } from './window.svelte'

/** A new account's codes are shown now or never, so before anything else. */
function show(window: WindowState, account: string, codes: readonly string[], then = (): void => undefined): void {
  if (codes.length > 0) window.dialogs.show({ kind: 'recoveryCodes', account, codes, then })
  else then()
}

/** Starts a server on this computer, makes a community with its first topic, and shows who can be invited how. */
export async function enterHosted(window: WindowState, input: HostInput, name: string): Promise<void> {
  const { account, recoveryCodes } = await window.api.host(input)
  let community: string | null = null
  try {
    const { firstGroup: group, firstTopic: topic } = i18n.t.community
    const made = await window.api.submit(account, { type: 'createCommunity', name, group, topic })
    community = made.created
  } catch (thrown) {
    // The server runs and the account is there: the community can be made again from the window.
    window.toasts.show(i18n.error(reasonOf(thrown)), true)
  }
  await window.openNew({ account, community, topic: null })
  show(window, account, recoveryCodes, () => {
    if (community !== null) window.dialogs.show({ kind: 'invite', isNew: true })
  })
}

/** Registers, signs in or recovers on somebody's server and goes there. */
export async function enterJoined(window: WindowState, input: JoinInput): Promise<void> {
  const { place, recoveryCodes, notJoined } = await window.api.join(input)
  show(window, place.account, recoveryCodes)
  await window.openNew(place)
  if (notJoined) window.toasts.show(i18n.error(notJoined), true)
}
