// Names of people mentioned in drafts, kept beside the drafts so that a restart does not turn them into ids.
import { i18n } from '../i18n.svelte'
import { decodeMentions } from '../lib/mentions'

const KEY = 'tulou.mentioned'
/** Names kept; the oldest go first. */
const KEPT = 200

export function rememberedNames(): [string, string][] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]')
    return Array.isArray(kept) ? (kept as [string, string][]) : []
  } catch {
    return []
  }
}

export function rememberName(id: string, name: string): void {
  try {
    const others = rememberedNames().filter(([other]) => other !== id)
    localStorage.setItem(KEY, JSON.stringify([...others, [id, name]].slice(-KEPT)))
  } catch {
    // Without storage a name is known until the window closes.
  }
}

/** A text that was written here, as it stood in the input. */
export function asWritten(text: string): string {
  return decodeMentions(text, new Map([...rememberedNames(), ['everyone', i18n.t.everyone]]))
}
