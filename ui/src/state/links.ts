// Following the links of messages.
import type { LinkView } from '../api'
import type { WindowState } from './window.svelte'

/** A link that might not lead where it seems to is shown first; an invite is for the window itself. */
export function followLink(window: WindowState, target: LinkView): void {
  const open = (): void => {
    if (target.kind === 'invite') window.dialogs.show({ kind: 'join', link: target.href })
    else void window.run(window.api.openLink(target.href))
  }
  if (target.doubts.length > 0) window.dialogs.show({ kind: 'link', target, open })
  else open()
}
