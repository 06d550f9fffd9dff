// Asks before what was typed is thrown away.
import { i18n } from '../i18n.svelte'
import type { WindowState } from './window.svelte'

/** Closes a dialog; where something was typed that would be lost, it is asked first. */
export function leave(window: WindowState, isUnsaved: boolean, onclose: () => void): void {
  if (!isUnsaved) {
    onclose()
    return
  }
  window.dialogs.show({
    kind: 'confirm',
    title: i18n.t.unsaved.title,
    text: i18n.t.unsaved.text,
    action: i18n.t.unsaved.action,
    run: () => Promise.resolve(onclose()),
  })
}
