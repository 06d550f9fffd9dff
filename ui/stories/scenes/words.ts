// What all scenes are said in: two languages, and one evening.
import type { Inline } from '../../src/api'

export type Tongue = 'zh-CN' | 'en'

export const pick = (lang: Tongue) => (zh: string, en: string) => (lang === 'en' ? en : zh)
export const text = (value: string): Inline => ({ type: 'text', text: value })
export const at = (hour: number, minute: number): number => new Date(2026, 10, 22, hour, minute).getTime()
