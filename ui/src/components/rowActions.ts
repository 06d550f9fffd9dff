import type { AuthorView, MessageView } from '../api'

/** What a row of the timeline can ask for. */
export type RowActions = {
  key: (event: KeyboardEvent, message: MessageView) => void
  focused: (message: MessageView) => void
  menu: (at: MouseEvent | HTMLElement, message: MessageView) => void
  jump: (message: string) => void
  /** Shows who somebody is, beside what names him. */
  person: (at: HTMLElement, who: Pick<AuthorView, 'id' | 'name'>) => void
  react: (message: MessageView, key: string, on: boolean) => void
  pick: (at: HTMLElement, message: MessageView) => void
  reply: (message: MessageView) => void
  edit: (message: MessageView) => void
  retry: (command: string) => void
  discard: (command: string) => void
  /** Goes on with an edit that was refused. */
  editAgain: (message: MessageView) => void
  copy: (text: string) => void
  /** A stored text as it stood in the input. */
  written: (text: string) => string
  /** Takes a message that was not sent back into the composer or throws it away. */
  discardMessage: (message: MessageView) => void
}
