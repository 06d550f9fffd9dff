// Member groups, their rights, and what one person may do and why.
import type { AccessPlace, AccessView, ExplanationView, RightsView } from '../../src/api'
import { PERMISSIONS, rightsLine, rightsOf } from '../../src/testing/views'
import { pick, type Tongue } from './words'

export function access(lang: Tongue): AccessView {
  const s = pick(lang)
  return {
    memberGroups: [
      {
        id: 'mod',
        name: s('版主', 'Moderators'),
        isShown: true,
        hasTag: true,
        canEdit: true,
        canAssign: true,
        isPending: false,
      },
      {
        id: 'reg',
        name: s('深渊固定队', 'Abyss regulars'),
        isShown: true,
        hasTag: false,
        canEdit: true,
        canAssign: true,
        isPending: false,
      },
      { id: 'everyone', name: '', isShown: false, hasTag: false, canEdit: true, canAssign: false, isPending: false },
    ],
  }
}

export function rights(lang: Tongue): RightsView {
  const s = pick(lang)
  const at = (level: 'group' | 'topic', id: string) => ({ level, id })
  const usual = rightsLine({ level: 'community' }, '').inherited
  const silent = rightsOf('speak', 'attach', 'speakVoice')
  const announced = { inherited: usual & ~silent, fromCommunity: usual & ~silent, fromGroup: silent }
  return {
    memberGroup: 'everyone',
    permissions: PERMISSIONS,
    lines: [
      rightsLine({ level: 'community' }, s('星海玩家社群', 'Starsea Players'), {
        allow: usual | rightsOf('invite'),
        deny: rightsOf('mentionAll'),
        inherited: 0,
        fromCommunity: 0,
      }),
      rightsLine(at('group', 'g1'), s('公告', 'Announcements'), { deny: silent }),
      rightsLine(at('topic', 't1'), s('版本资讯', 'Release notes'), announced),
      rightsLine(at('topic', 't2'), s('活动与福利', 'Events'), { ...announced, allow: rightsOf('speak', 'attach') }),
      rightsLine(at('group', 'g2'), s('组队大厅', 'Party finder')),
      rightsLine(at('topic', 't3'), s('招募队友', 'looking-for-group'), {
        allow: rightsOf('manageTopics'),
        isPending: true,
      }),
      rightsLine(at('topic', 't4'), s('攻略分享', 'guides')),
      rightsLine(at('topic', 't5'), s('闲聊灌水', 'off-topic')),
      rightsLine(at('group', 'g3'), s('管理', 'Staff'), { settable: 0, deny: rightsOf('view') }),
      rightsLine(at('topic', 't8'), s('版主议事', 'moderators'), {
        isClosed: true,
        settable: 0,
        inherited: usual & ~rightsOf('view'),
        fromCommunity: usual & ~rightsOf('view'),
        fromGroup: rightsOf('view'),
      }),
      rightsLine(at('group', 'g4'), s('剧情讨论', 'Lore'), { allow: rightsOf('recallOthers') }),
      rightsLine(at('topic', 't9'), s('主线', 'Main story'), {
        inherited: usual | rightsOf('recallOthers'),
        fromGroup: rightsOf('recallOthers'),
      }),
    ],
  }
}

export function explained(lang: Tongue): ExplanationView {
  const s = pick(lang)
  const regulars = s('深渊固定队', 'Abyss regulars')
  const announcements = s('公告', 'Announcements')
  const events = s('活动与福利', 'Events')
  const right = (permission: string, isHeld: boolean, where: AccessPlace | null, memberGroup = regulars) => ({
    permission,
    isHeld,
    reason: where ? 'access' : 'default',
    place: where,
    placeName: where?.level === 'group' ? announcements : where?.level === 'topic' ? events : '',
    memberGroup,
  })
  const everywhere: AccessPlace = { level: 'community' }
  const inGroup: AccessPlace = { level: 'group', id: 'g1' }
  const inTopic: AccessPlace = { level: 'topic', id: 't2' }
  return {
    rights: [
      right('view', true, everywhere),
      right('readHistory', true, everywhere),
      right('speak', false, inGroup),
      right('attach', true, inTopic),
      right('react', true, everywhere, ''),
      right('mentionAll', false, everywhere),
      right('pin', false, null),
      right('recallOthers', false, null),
      right('mute', false, null),
      right('bypassSlowMode', false, null),
      right('joinVoice', true, everywhere),
      right('speakVoice', false, inGroup),
      right('manageTopics', false, null),
    ],
    rows: [
      {
        place: everywhere,
        placeName: s('星海玩家社群', 'Starsea Players'),
        memberGroup: '',
        allow: ['view', 'speak', 'attach', 'react', 'joinVoice'],
        deny: [],
      },
      {
        place: everywhere,
        placeName: s('星海玩家社群', 'Starsea Players'),
        memberGroup: regulars,
        allow: ['view', 'readHistory', 'speak', 'attach', 'joinVoice', 'speakVoice'],
        deny: ['mentionAll'],
      },
      { place: inGroup, placeName: announcements, memberGroup: '', allow: [], deny: [] },
      {
        place: inGroup,
        placeName: announcements,
        memberGroup: regulars,
        allow: [],
        deny: ['speak', 'attach', 'speakVoice'],
      },
      { place: inTopic, placeName: events, memberGroup: '', allow: [], deny: [] },
      { place: inTopic, placeName: events, memberGroup: regulars, allow: ['attach'], deny: [] },
    ],
    memberGroups: [regulars],
    isClosed: false,
    hasSeat: true,
    isOwner: false,
  }
}
