import { describe, expect, it } from 'vitest'
import { COMMON, findEmoji, GROUPS, loadEmoji, qualified, toned } from './emoji'

const set = await loadEmoji()
const found = (typed: string): string[] => findEmoji(set, typed).map((emoji) => emoji.key)

describe('the set of emoji', () => {
  it('holds all of them in nine groups, each with a name in both languages and one way of writing', () => {
    expect(set.all.length).toBeGreaterThan(1900)
    expect(new Set(set.all.map((emoji) => emoji.group))).toEqual(new Set(GROUPS))
    const keys = set.all.flatMap((emoji) => [emoji.key, ...emoji.tones])
    expect(new Set(keys).size, 'no picture has two keys').toBe(keys.length)
    for (const { key, names } of set.all) {
      expect(names['zh-CN'], key).not.toBe('')
      expect(names.en, key).toMatch(/[a-z]/i)
      expect(qualified(key.replaceAll('\uFE0F', '')), key).toBe(key)
    }
  })

  it('knows those that are shown before it is loaded', () => {
    for (const key of COMMON) expect(set.byKey.has(key), key).toBe(true)
  })

  it('is searched in both languages', () => {
    expect(found('heart').slice(0, 40)).toContain('❤️')
    expect(found('心')).toContain('❤️')
    expect(found('红心')[0]).toBe('❤️')
    expect(found('饺子')[0]).toBe('🥟')
    expect(found('thumbs up')[0]).toBe('👍')
    expect(found('Panda')[0]).toBe('🐼')
    expect(found('点赞')[0], 'as people in chats say').toBe('👍')
    expect(found('\u2764'), 'by itself, however it is written').toEqual(['❤️'])
    const chinese = set.all.filter((emoji) => /\p{Script=Han}/u.test(emoji.names['zh-CN']))
    expect(chinese.length).toBeGreaterThan(1850)
    expect(found('qqqq')).toEqual([])
  })

  it('has skin tones for what has skin', () => {
    const thumb = set.byKey.get('👍')
    const pair = set.byKey.get('👫')
    const panda = set.byKey.get('🐼')
    if (!thumb || !pair || !panda) throw new Error('they are in the set')
    expect(toned(thumb, 'medium')).toBe('👍🏽')
    expect(pair.tones).toHaveLength(5)
    expect(toned(panda, 'dark')).toBe('🐼')
    expect(toned(thumb, null)).toBe('👍')
  })

  it('is written as Unicode recommends', () => {
    expect(qualified('\u2764')).toBe('❤️')
    expect(qualified('👍\uFE0F')).toBe('👍')
    expect(qualified('1\u20E3')).toBe('1\uFE0F\u20E3')
    expect(qualified('👩🏻\u200D\u2764\u200D💋\u200D👨🏿')).toBe('👩🏻\u200D\u2764\uFE0F\u200D💋\u200D👨🏿')
  })
})
