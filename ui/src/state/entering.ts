// Ways into a server: afterwards the window is there, and a new account's recovery codes are shown, once.
import type { HostInput, JoinInput } from '../api'
import { i18n } from '../i18n.svelte'
import type { WindowState } from './window.svelte'

function show(window: WindowState, account: string, codes: readonly string[]): void {
  if (codes.length > 0) window.dialogs.show({ kind: 'recoveryCodes', account, codes })
}

/** Starts a server on this computer and goes there. */
export async function enterHosted(window: WindowState, input: HostInput): Promise<void> {
  const { account, recoveryCodes } = await window.api.host(input)
  show(window, account, recoveryCodes)
  await window.openNew({ account, community: null, topic: null })
}

/** Registers, signs in or recovers on somebody's server and goes there. */
export async function enterJoined(window: WindowState, input: JoinInput): Promise<void> {
  const { place, recoveryCodes, notJoined } = await window.api.join(input)
  show(window, place.account, recoveryCodes)
  await window.openNew(place)
  if (notJoined) window.toasts.show(i18n.error(notJoined), true)
}
