// Emoji with their names in both languages, from Unicode's own lists (CLDR, by way of emojibase). They are loaded when a
// picker is opened for the first time: a start does not wait for them.
import type { CompactEmoji } from 'emojibase'

/** Those used most in reactions. They are shown before anything else is loaded. */
export const COMMON: readonly string[] = [
  ...['👍', '❤️', '😂', '🎉', '🔥', '👀', '🙏', '✅', '🙋'],
  ...['👏', '💯', '🤔', '😮', '😢', '😡', '👎', '🥳', '🫡'],
]

export const GROUPS = [
  'smileys',
  'people',
  'nature',
  'food',
  'travel',
  'activities',
  'objects',
  'symbols',
  'flags',
] as const
export type Group = (typeof GROUPS)[number]
/** What people in Chinese chats call some of them, beside Unicode's own words. */
const CHAT: Record<string, readonly string[]> = {
  '👍': ['点赞', '赞', '顶', '支持'],
  '👎': ['踩', '反对'],
  '🙏': ['拜托', '谢谢', '感谢'],
  '🫡': ['收到', '敬礼'],
  '😂': ['笑死', '笑哭'],
  '🎉': ['撒花', '恭喜'],
  '👀': ['围观', '吃瓜'],
  '🍉': ['吃瓜'],
  '🐶': ['狗头'],
  '💯': ['满分'],
  '✅': ['完成', '搞定'],
  '🔥': ['火', '热门'],
  '🌹': ['送花'],
  '🍻': ['干杯'],
  '💩': ['便便'],
}
/** Emojibase's numbers of the groups; 2 holds what is only a part of others. */
const GROUP_AT = new Map<number, Group>([0, 1, 3, 4, 5, 6, 7, 8, 9].map((n, at) => [n, GROUPS[at] ?? 'symbols']))

/** The tones from light to dark, as Unicode numbers them. */
export const TONES = ['light', 'mediumLight', 'medium', 'mediumDark', 'dark'] as const
export type Tone = (typeof TONES)[number]
const MODIFIERS = /[\u{1F3FB}-\u{1F3FF}]/gu

export type Emoji = {
  /** As it is written, and the key of a reaction. */
  key: string
  group: Group
  names: { 'zh-CN': string; en: string }
  /** The same in each tone; none for what has no skin. */
  tones: readonly string[]
  /** What it is found by: names and words of both languages, in small letters. */
  words: readonly string[]
}

export type EmojiSet = { all: readonly Emoji[]; byKey: ReadonlyMap<string, Emoji> }

/**
 * Writes an emoji as Unicode recommends: U+FE0F behind each character that would be text without it, and nowhere else.
 * The client and the server do the same (`protocol::text::reaction`), so that one picture is one key.
 */
export function qualified(emoji: string): string {
  const chars = [...emoji].filter((char) => char !== '\uFE0E' && char !== '\uFE0F')
  return chars
    .map((char, at) => {
      const isText = /^(?!\p{Emoji_Presentation})\p{Emoji}$/u.test(char)
      return isText && !/^\p{Emoji_Modifier}$/u.test(chars[at + 1] ?? '') ? `${char}\uFE0F` : char
    })
    .join('')
}

let loading: Promise<EmojiSet> | null = null

/** All emoji, in Unicode's order. */
export function loadEmoji(): Promise<EmojiSet> {
  loading ??= Promise.all([import('emojibase-data/zh/compact.json'), import('emojibase-data/en/compact.json')])
    .then(([zh, en]) => merge(zh.default, en.default))
    .catch((error: unknown) => {
      loading = null
      throw error
    })
  return loading
}

function merge(zh: readonly CompactEmoji[], en: readonly CompactEmoji[]): EmojiSet {
  const chinese = new Map(zh.map((one) => [one.hexcode, one]))
  const all = en
    .filter((one) => one.group !== undefined && GROUP_AT.has(one.group))
    .sort((a, b) => (a.order ?? 0) - (b.order ?? 0))
    .map((one): Emoji => {
      const other = chinese.get(one.hexcode)
      const names = { 'zh-CN': other?.label ?? one.label, en: one.label }
      const key = qualified(one.unicode)
      const words = [names['zh-CN'], ...(other?.tags ?? []), ...(CHAT[key] ?? []), names.en, ...(one.tags ?? [])]
      return {
        key,
        group: GROUP_AT.get(one.group ?? 0) ?? 'symbols',
        names,
        tones: tonesOf(one.skins ?? []),
        words: words.map((word) => word.toLowerCase()),
      }
    })
  return { all, byKey: new Map(all.flatMap((one) => [one.key, ...one.tones].map((key) => [key, one]))) }
}

/** Of an emoji with several people, those in which all have the same. */
function tonesOf(skins: readonly { unicode: string }[]): string[] {
  return skins
    .map((skin) => skin.unicode)
    .filter((key) => new Set(key.match(MODIFIERS)).size === 1)
    .map(qualified)
}

/** In the tone that the person chose, where there is one. */
export function toned(emoji: Emoji, tone: Tone | null): string {
  return (tone && emoji.tones[TONES.indexOf(tone)]) ?? emoji.key
}

/** Those that go with what was typed: first those whose name begins so, then those that have such a word. */
export function findEmoji(set: EmojiSet, typed: string): Emoji[] {
  const wanted = typed.trim().toLowerCase().split(/\s+/)
  const exact = set.byKey.get(qualified(typed.trim()))
  if (exact) return [exact]
  const scored = set.all.flatMap((emoji) => {
    const scores = wanted.map((word) => scoreOf(emoji, word))
    return scores.includes(Infinity) ? [] : [{ emoji, score: scores.reduce((sum, score) => sum + score, 0) }]
  })
  return scored.sort((a, b) => a.score - b.score).map((one) => one.emoji)
}

function scoreOf({ words, names }: Emoji, wanted: string): number {
  const isName = (word: string): boolean => word === names.en.toLowerCase() || word === names['zh-CN'].toLowerCase()
  if (words.some((word) => isName(word) && word === wanted)) return 0
  if (words.includes(wanted)) return 1
  if (words.some((word) => isName(word) && word.startsWith(wanted))) return 2
  if (words.some((word) => word.split(/[\s-]/).some((part) => part.startsWith(wanted)))) return 3
  // Chinese words have no blanks between them. Two Latin letters inside a word are chance.
  if (!/^[a-z]{1,2}$/.test(wanted) && words.some((word) => word.includes(wanted))) return 4
  return Infinity
}
