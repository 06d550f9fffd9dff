import type { Settings, SettingsPatch } from '../api'

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
    collapsed: [...new Set([...settings.collapsed.filter((id) => !expand.includes(id)), ...collapse])],
  }
}
