import { describe, expect, it } from 'vitest'
import { catalogues, i18n, localeOf } from './i18n.svelte'

type Leaf = { path: string; value: unknown }
function leaves(node: object, path = ''): Leaf[] {
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null ? leaves(value, `${path}.${key}`) : [{ path: `${path}.${key}`, value }],
  )
}

const CODES = [
  ...[
    'not_allowed',
    'too_long',
    'too_many',
    'empty',
    'bad_characters',
    'malformed',
    'not_found',
    'id_taken',
    'too_short',
  ],
  ...['not_yours', 'not_owner', 'not_admin', 'invite_needed'],
  ...['changed_meanwhile', 'not_a_member', 'closed', 'invite_invalid', 'name_taken', 'wrong_password'],
  ...[
    'weak_password',
    'wrong_code',
    'owns_communities',
    'server_admin',
    'recall_too_late',
    'edit_too_late',
    'muted',
    'rank_too_low',
    'group_not_empty',
    'gone',
  ],
  ...['already', 'last_owner', 'offline', 'busy', 'unreachable', 'too_old', 'too_new', 'signed_out'],
  ...['sign_ups', 'storage', 'outdated', 'internal', 'bad_link', 'host_failed', 'unknown_method'],
  'not_an_emoji',
]
const PERMISSIONS = [
  ...['view', 'readHistory', 'speak', 'attach', 'react', 'mentionAll', 'pin', 'recallOthers', 'mute'],
  ...['bypassSlowMode', 'joinVoice', 'speakVoice', 'manageTopics', 'manageCommunity', 'manageMemberGroups'],
  ...['assignMemberGroups', 'invite', 'approveMembers', 'kick', 'ban', 'viewAudit'],
]
const no = { permission: null, limit: null, retryAfterS: null }

describe('the catalogues', () => {
  it('have the same keys in both languages, none of them empty', () => {
    const zh = leaves(catalogues['zh-CN'])
    const en = leaves(catalogues.en)
    expect(en.map((leaf) => leaf.path)).toEqual(zh.map((leaf) => leaf.path))
    for (const leaf of [...zh, ...en]) expect(leaf.value, leaf.path).not.toBe('')
  })

  it('are written in their own language', () => {
    const en = leaves(catalogues.en).filter((leaf) => typeof leaf.value === 'string')
    for (const leaf of en) expect(leaf.value, leaf.path).not.toMatch(/\p{Script=Han}/u)
  })

  it.each(['zh-CN', 'en'] as const)('have a sentence for every code in %s', (locale) => {
    i18n.locale = locale
    const unknown = i18n.rejection({ code: 'something_else', ...no })
    expect(unknown, 'an unknown code is named').toContain('something_else')
    for (const code of CODES) {
      expect(i18n.rejection({ code, ...no })).not.toBe(unknown.replace('something_else', code))
    }
  })

  it.each(['zh-CN', 'en'] as const)('have a name for every permission in %s', (locale) => {
    i18n.locale = locale
    for (const key of PERMISSIONS) expect(i18n.permission(key), key).not.toBe(key)
    expect(i18n.rejection({ code: 'not_allowed', ...no, permission: 'manageTopics' })).toContain(
      i18n.permission('manageTopics'),
    )
  })

  it('name limits and seconds', () => {
    i18n.locale = 'en'
    expect(i18n.rejection({ code: 'too_long', ...no, limit: 16_384 })).toContain('16,384')
    const name = i18n.rejection({ code: 'too_long', ...no, limit: 60, of: 'characters', count: 72 })
    expect(name).toContain('60 characters')
    expect(name).toContain('72')
    const kinds = i18n.rejection({ code: 'too_many', ...no, limit: 20, of: 'reactions' })
    expect(kinds, 'which limit it is').toContain('20 different reactions')
    const many = (of: string): string => i18n.rejection({ code: 'too_many', ...no, limit: 500, of })
    expect(many('communities')).toContain('500 communities')
    expect(many('levels')).toContain('at most 500 places')
    expect(many('what a newer server counts')).toBe('Too many: at most 500.')
    expect(i18n.rejection({ code: 'busy', ...no, retryAfterS: 7 })).toContain('7 s')
  })

  it.each(['zh-CN', 'en'] as const)('begin the day at 00:00 in %s', (locale) => {
    i18n.locale = locale
    expect(i18n.time(new Date(2026, 0, 1, 0, 5).getTime())).toBe('00:05')
  })

  it('count in English', () => {
    expect(catalogues.en.tree.members('1')).toBe('1 member')
    expect(catalogues.en.tree.members('1,200')).toBe('1,200 members')
  })
})

describe('the language of the system', () => {
  it('is Chinese for any Chinese and English for the rest', () => {
    expect(localeOf('system', ['zh-TW', 'en'])).toBe('zh-CN')
    expect(localeOf('system', ['de-DE', 'zh'])).toBe('en')
    expect(localeOf('system', [])).toBe('en')
    expect(localeOf('zh-CN', ['en'])).toBe('zh-CN')
  })
})
