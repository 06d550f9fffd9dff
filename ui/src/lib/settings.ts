import type { Settings, SettingsPatch } from '../api'

/** So many emoji are remembered: two lines of the picker. */
export const RECENT_EMOJI = 18

/** What is used goes first. */
export const usedLast = (recent: readonly string[], used: string): string[] =>
  [used, ...recent.filter((other) => other !== used)].slice(0, RECENT_EMOJI)

/** Settings with what a patch changes; the program does the same. */
export function patched(settings: Settings, patch: SettingsPatch): Settings {
  const expand = patch.expand ?? []
  const collapse = patch.collapse ?? []
  return {
    language: patch.language ?? settings.language,
    theme: patch.theme ?? settings.theme,
    textSize: patch.textSize ?? settings.textSize,
    showsMembers: patch.showsMembers ?? settings.showsMembers,
    stays: patch.stays ?? settings.stays,
    startsClosed: patch.startsClosed ?? settings.startsClosed,
    recentEmoji: patch.usedEmoji == null ? settings.recentEmoji : usedLast(settings.recentEmoji, patch.usedEmoji),
    skinTone: patch.skinTone ?? settings.skinTone,
    historyMib: patch.historyMib ?? settings.historyMib,
    collapsed: [...new Set([...settings.collapsed.filter((id) => !expand.includes(id)), ...collapse])],
  }
}
