// A community with people in it, in both languages.
import { StandIn } from '../../src/testing/stand-in'
import { account, appView, member, settings, timeline, topic, tree } from '../../src/testing/views'
import { invites } from './invites'
import { mine, rows } from './messages'
import { access, explained, rights } from './rights'
import { pick, type Tongue } from './words'

/** The full community. */
export function fullScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const s = pick(lang)
  const api = new StandIn()
  api.trees.set(
    'c1',
    tree({
      name: s('星海玩家社群', 'Starsea Players'),
      groups: [
        {
          id: 'g1',
          name: s('公告', 'Announcements'),
          badge: { unread: 2, mentions: 0, hasDot: false },
          permissions: ['manageTopics'],
          isPending: false,
          topics: [
            topic('t1', s('版本资讯', 'Release notes'), { isAnnouncement: true }),
            topic('t2', s('活动与福利', 'Events'), {
              isAnnouncement: true,
              badge: { unread: 2, mentions: 0, hasDot: false },
            }),
          ],
        },
        {
          id: 'g2',
          name: s('组队大厅', 'Party finder'),
          badge: { unread: 6, mentions: 4, hasDot: false },
          permissions: ['manageTopics'],
          isPending: false,
          topics: [
            topic('t3', s('招募队友', 'looking-for-group'), {
              introduction: s(
                '写清区服、段位和时间 · 组队成功后请编辑原消息',
                'Say server, rank and time · edit your post once the party is full',
              ),
            }),
            topic('t4', s('攻略分享', 'guides'), { badge: { unread: 6, mentions: 4, hasDot: false } }),
            topic('t5', s('闲聊灌水', 'off-topic'), {
              badge: { unread: 0, mentions: 0, hasDot: true },
              hasDraft: true,
            }),
            topic('t6', s('开黑约战', 'scrims'), { isPending: true }),
          ],
        },
        {
          id: 'g3',
          name: s('管理', 'Staff'),
          badge: { unread: 0, mentions: 0, hasDot: false },
          permissions: ['manageTopics'],
          isPending: false,
          topics: [
            topic('t7', s('版主议事', 'moderators'), { isClosed: true, hasFailed: true }),
            topic('t8', s('财务', 'treasury'), { isLocked: true, isClosed: true }),
          ],
        },
        {
          id: 'g4',
          name: s('剧情讨论', 'Lore'),
          badge: { unread: 9, mentions: 0, hasDot: false },
          permissions: ['manageTopics'],
          isPending: false,
          topics: [topic('t9', s('主线', 'Main story'))],
        },
      ],
    }),
  )
  api.topics.set(
    't3',
    timeline({
      name: s('招募队友', 'looking-for-group'),
      introduction: s(
        '写清区服、段位和时间 · 组队成功后请编辑原消息',
        'Say server, rank and time · edit your post once the party is full',
      ),
      rows: rows(lang),
      firstUnread: 5,
      unread: 3,
      head: 7,
      pins: [
        {
          id: 'm1',
          author: { id: 'fawn', name: s('林间鹿', 'Fawn'), tag: null, mark: 'owner' },
          excerpt: s(
            '今晚九点星海深渊,缺一个奶妈和一个副坦,区服 华东-3',
            'Starsea Abyss tonight at nine. Need one healer and an off-tank',
          ),
        },
      ],
      pending: [mine(lang, 'p1', s('收到,九点前上线,我玩副坦。', 'Got it, on before nine, I will off-tank.'), {})],
    }),
  )
  api.members = {
    next: 'on',
    isFresh: true,
    sections: [
      {
        memberGroup: 'mod',
        name: s('版主', 'Moderators'),
        count: 3,
        members: [
          member('fawn', s('林间鹿', 'Fawn'), { isOwner: true, mark: 'owner', memberGroups: ['mod'] }),
          member('ash-11', s('阿澈', 'Ash'), { mark: 'staff', memberGroups: ['mod'] }),
          member('mori', 'Mori', { isOnline: false, mark: 'staff', memberGroups: ['mod'] }),
        ],
      },
      {
        memberGroup: 'reg',
        name: s('深渊固定队', 'Abyss regulars'),
        count: 48,
        members: [
          member('kes', 'Kestrel', { memberGroups: ['reg'] }),
          member('me', s('夏至', 'Solstice'), { isMe: true, memberGroups: ['reg'] }),
          member('skiff', s('小舟', 'Skiff'), { memberGroups: ['reg'] }),
        ],
      },
      {
        memberGroup: null,
        name: '',
        count: 986_069,
        members: [
          member('aster', 'Aster'),
          member('bamboo', s('竹外', 'Bamboo')),
          member('nils', 'nils_k'),
          member('oriole', 'Oriole', { isOnline: false }),
        ],
      },
    ],
  }
  api.access = access(lang)
  api.rights = rights(lang)
  api.seats = new Set(['fawn', 'kes'])
  api.explained = explained(lang)
  api.invites = invites(lang)
  api.app = appView({
    settings: settings({ language: lang, theme, collapsed: ['g4'] }),
    lastPlace: { account: 's1.me', community: 'c1', topic: 't3' },
    badge: { unread: 17, mentions: 12, hasDot: false },
    accounts: [
      account({
        displayName: s('夏至', 'Solstice'),
        serverName: s('夏至的服务器', 'Solstice’s server'),
        communities: [
          {
            id: 'c1',
            name: s('星海玩家社群', 'Starsea Players'),
            badge: { unread: 8, mentions: 4, hasDot: false },
            isPending: false,
          },
          { id: 'c2', name: 'Rust 中文', badge: { unread: 0, mentions: 0, hasDot: true }, isPending: false },
        ],
      }),
      account({
        key: 's2.me',
        serverName: 'example.org',
        isHostedHere: false,
        communities: [
          {
            id: 'c3',
            name: s('深圳读书会', 'Readers'),
            badge: { unread: 30, mentions: 12, hasDot: false },
            isPending: false,
          },
          { id: 'c4', name: s('组会', 'Lab'), badge: { unread: 0, mentions: 0, hasDot: false }, isPending: true },
        ],
      }),
    ],
  })
  return api
}
