import { getContext, setContext } from 'svelte'

/** What parts of a text can do when they are clicked. */
export type TextActions = { openLink: (url: string) => void }

const KEY = Symbol('text')

export function provideTextActions(actions: TextActions): void {
  setContext(KEY, actions)
}

export function useTextActions(): TextActions {
  return getContext<TextActions | undefined>(KEY) ?? { openLink: () => undefined }
}
