// What somebody did with emoji since the program was started, and their names once they are there.
import { COMMON, loadEmoji, type EmojiSet, type Tone } from '../lib/emoji'

const RECENT = 18

class EmojiState {
  set = $state.raw<EmojiSet | null>(null)
  tone = $state<Tone | null>(null)
  #used = $state.raw<readonly string[]>([])
  /** Those used last, then those that are used most by everybody. */
  readonly recent = $derived([...new Set([...this.#used, ...COMMON])].slice(0, RECENT))

  async load(): Promise<void> {
    this.set ??= await loadEmoji()
  }

  used(key: string): void {
    this.#used = [key, ...this.#used.filter((other) => other !== key)].slice(0, RECENT)
  }

  /** What a picture is called; nothing while the names are not there. */
  nameOf(key: string, locale: 'zh-CN' | 'en'): string | undefined {
    return this.set?.byKey.get(key)?.names[locale]
  }
}

export const emojiState = new EmojiState()
