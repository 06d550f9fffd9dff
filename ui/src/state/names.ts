// A text that was written here, as it stood in the input.
import type { MentionedView } from '../api'
import { i18n } from '../i18n.svelte'
import { decode } from '../lib/mentions'

export function asWritten(text: string, mentioned: readonly MentionedView[]): string {
  const names = mentioned.map(({ id, name }) => [id, name] as const)
  return decode(text, new Map([...names, ['everyone', i18n.t.everyone]])).text
}
