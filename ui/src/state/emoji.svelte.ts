// What somebody did with emoji on this computer, and their names once they are there.
import type { Settings, SettingsPatch } from '../api'
import { COMMON, loadEmoji, type EmojiSet, type Tone } from '../lib/emoji'
import { RECENT_EMOJI, usedLast } from '../lib/settings'

type Habits = Pick<Settings, 'recentEmoji' | 'skinTone'>

class EmojiState {
  set = $state.raw<EmojiSet | null>(null)
  #habits = $state.raw<Habits>({ recentEmoji: [], skinTone: 'none' })
  #keep: (patch: SettingsPatch) => void = () => undefined

  /** Those used last, then those that are used most by everybody. */
  readonly recent = $derived([...new Set([...this.#habits.recentEmoji, ...COMMON])].slice(0, RECENT_EMOJI))
  readonly tone = $derived<Tone | null>(this.#habits.skinTone === 'none' ? null : this.#habits.skinTone)

  async load(): Promise<void> {
    this.set ??= await loadEmoji()
  }

  /** The settings as they are, and how to change them. */
  take(settings: Settings, keep: (patch: SettingsPatch) => void): void {
    this.#habits = settings
    this.#keep = keep
  }

  used(key: string): void {
    this.#habits = { ...this.#habits, recentEmoji: usedLast(this.#habits.recentEmoji, key) }
    this.#keep({ usedEmoji: key })
  }

  choose(tone: Tone | null): void {
    this.#habits = { ...this.#habits, skinTone: tone ?? 'none' }
    this.#keep({ skinTone: this.#habits.skinTone })
  }

  /** What a picture is called; nothing while the names are not there. */
  nameOf(key: string, locale: 'zh-CN' | 'en'): string | undefined {
    return this.set?.byKey.get(key)?.names[locale]
  }
}

export const emojiState = new EmojiState()
