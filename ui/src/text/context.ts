import { getContext, setContext } from 'svelte'
import type { LinkView } from '../api'
import { Unfolded } from '../state/unfolded.svelte'

/** What parts of a text can do when they are asked to. */
export type TextActions = { openLink: (target: LinkView) => void; unfolded: Unfolded }

const KEY = Symbol('text')

export function provideTextActions(actions: TextActions): void {
  setContext(KEY, actions)
}

export function useTextActions(): TextActions {
  return (
    getContext<TextActions | undefined>(KEY) ?? {
      openLink: () => undefined,
      unfolded: new Unfolded(() => Promise.resolve([])),
    }
  )
}
