// A community with people in it, in both languages, and the states that a story can put it into.
import type {
  AccessPlace,
  AccessView,
  RightsView,
  Block,
  Inline,
  ListView,
  MessageView,
  RejectedView,
  StoreTrouble,
  TimelineView,
} from '../src/api'
import { StandIn } from '../src/testing/stand-in'
import {
  account,
  appView,
  member,
  message,
  NO_BADGE,
  paragraph,
  PERMISSIONS,
  rightsLine,
  rightsOf,
  settings,
  timeline,
  topic,
  tree,
} from '../src/testing/views'

export type Tongue = 'zh-CN' | 'en'

const pick = (lang: Tongue) => (zh: string, en: string) => (lang === 'en' ? en : zh)
const text = (value: string): Inline => ({ type: 'text', text: value })
const at = (hour: number, minute: number): number => new Date(2026, 10, 22, hour, minute).getTime()

function rows(lang: Tongue): MessageView[] {
  const s = pick(lang)
  const fawn = { id: 'fawn', name: s('林间鹿', 'Fawn'), tag: s('版主', 'Moderator'), mark: 'owner' as const }
  const kestrel = { id: 'kes', name: 'Kestrel', tag: null }
  const ash = { id: 'ash-11', name: s('阿澈', 'Ash'), tag: null }
  const rich: Block[] = [
    { type: 'paragraph', lang: null, inlines: [text(s('打法:', 'How to:'))] },
    {
      type: 'list',
      isNumbered: true,
      items: [
        {
          mark: '1.',
          value: 1,
          blocks: [
            {
              type: 'paragraph',
              lang: null,
              inlines: [
                { type: 'bold', inlines: [text(s('P2 转阶段', 'P2'))] },
                text(s('全员靠右', ' everyone stack right')),
              ],
            },
          ],
        },
        {
          mark: '2.',
          value: 2,
          blocks: [
            {
              type: 'paragraph',
              lang: null,
              inlines: [text(s('副坦先开', 'off-tank ')), { type: 'code', inlines: [text('mitigate')] }],
            },
          ],
        },
      ],
    },
    { type: 'quote', blocks: [paragraph(s('奶妈站 2 点钟方向', 'healer stands at 2 o’clock'))] },
    { type: 'code', language: 'lua', inlines: [text('local boss = find("abyss")\nboss:pull(3)')] },
  ]
  return [
    message('m1', 1, '', {
      author: fawn,
      sentAt: at(20, 14),
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            text(
              s(
                '今晚九点星海深渊,缺一个奶妈和一个副坦,区服 ',
                'Starsea Abyss tonight at nine. Need one healer and an off-tank, server ',
              ),
            ),
            { type: 'code', inlines: [text(s('华东-3', 'east-3'))] },
            text(s(',有意回复我。', '. Reply if you are in.')),
          ],
        },
      ],
      reactions: [
        { key: '🙋', count: 3, isMine: true },
        { key: '🔥', count: 7, isMine: false },
      ],
      isPinned: true,
    }),
    message('m2', 2, s('I can heal. 装备分 4120,上周通关过。', 'I can heal. Gear 4120, cleared it last week.'), {
      author: kestrel,
      sentAt: at(20, 15),
      isEdited: true,
      reply: {
        id: 'm1',
        author: fawn,
        excerpt: s('今晚九点星海深渊,缺一个奶妈…', 'Starsea Abyss tonight at nine…'),
        isRecalled: false,
      },
    }),
    message('m3', 3, s('几点集合?', 'When do we meet?'), { author: kestrel, sentAt: at(20, 16) }),
    message('m4', 4, '', {
      author: ash,
      sentAt: at(20, 17),
      recalled: { by: ash.name, isByAuthor: true },
      actions: [],
    }),
    message('m5', 5, '', {
      author: ash,
      sentAt: at(20, 21),
      mentionsMe: true,
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            { type: 'mention', account: 'me', name: s('夏至', 'Solstice'), isMe: true },
            text(s(' 上次的打法整理好了,转给你看看', ' wrote up last run, have a look')),
          ],
        },
      ],
    }),
    message('m6', 6, '', { author: ash, sentAt: at(20, 22), blocks: rich }),
    message('m7', 7, '', {
      author: kestrel,
      sentAt: at(20, 24),
      blocks: [
        {
          type: 'paragraph',
          lang: null,
          inlines: [
            text(s('结局是 ', 'It ends with ')),
            { type: 'spoiler', inlines: [text(s('船长就是深渊', 'the captain being the abyss'))] },
            text(' · '),
            {
              type: 'link',
              target: {
                href: 'https://example.org/abyss',
                kind: 'web',
                place: 'example.org',
                isNamed: false,
                doubts: [],
              },
              inlines: [text('example.org/abyss')],
            },
          ],
        },
      ],
      reactions: [{ key: '😮', count: 2, isMine: false }],
    }),
  ]
}

/** Names and messages that would cover, turn or pose as their neighbours. */
export function namesScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const s = pick(lang)
  const api = fullScene(lang, theme)
  const tower = `Z${'\u0353\u0351'.repeat(60)} a${'\u20dd'.repeat(30)}`
  const person = (id: string, name: string, more: Partial<MessageView['author']> = {}): MessageView['author'] => ({
    id,
    name,
    tag: null,
    ...more,
  })
  const owner = person('mark', 'Mark', { mark: 'owner', accountName: 'mark' })
  const said: [MessageView['author'], string][] = [
    [owner, s('今晚九点集合。', 'We meet at nine tonight.')],
    [
      person('mark-2', 'Маrk', { accountName: 'maark99' }),
      s('把密码发给我核对一下。', 'Send me your password to check it.'),
    ],
    [person('ash', s('阿澈', 'Ash'), { mark: 'staff', tag: s('版主', 'Moderator') }), 'שלום עולם!'],
    [person('wqar', 'وقار'), 'تجربة test نصية (واحد) 12:30.'],
    [person('bob', 'Bob\u202egnp.ecila'), 'שלום עולם!\nhello, this is English.\nتجربة.'],
    [person('long', s('名', 'Wide name ').repeat(60)), 'W'.repeat(900)],
    [person('tower', tower), `${tower} ${'𑲭'.repeat(20)}`],
    [person('ok', 'Kestrel'), `${'\ufdfd'.repeat(40)} ${s('在吗', 'Anyone?')}`],
  ]
  api.topics.set(
    't3',
    timeline({
      name: s('招募队友', 'looking-for-group'),
      introduction: tower,
      rows: said.map(([author, value], index) =>
        message(`n${index}`, index + 1, value, {
          author,
          sentAt: at(20, 20 + index),
          isEdited: author.id === 'ash' || author.id === 'wqar',
          reply:
            index % 3 === 1
              ? {
                  id: `n${index - 1}`,
                  author: said[index - 1]?.[0] ?? null,
                  excerpt: said[index - 1]?.[1] ?? '',
                  isRecalled: false,
                }
              : null,
        }),
      ),
      head: said.length,
      pins: said.map(([author, excerpt], index) => ({ id: `n${index}`, author, excerpt })),
    }),
  )
  api.members = {
    next: null,
    isFresh: true,
    sections: [
      {
        memberGroup: null,
        name: '',
        count: said.length,
        members: said.map(([author]) =>
          member(author.id, author.name, {
            accountName: author.accountName ?? author.id,
            looksAlike: author.accountName !== undefined,
            mark: author.mark ?? null,
            isOwner: author.mark === 'owner',
          }),
        ),
      },
    ],
  }
  return api
}

function mine(lang: Tongue, id: string, value: string, more: Partial<MessageView>): MessageView {
  return message(id, null, value, {
    author: { id: 'me', name: pick(lang)('夏至', 'Solstice'), tag: null },
    sentAt: at(20, 26),
    isMine: true,
    delivery: { state: 'sending' },
    actions: ['edit', 'recall'],
    ...more,
  })
}

function access(lang: Tongue): AccessView {
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

function rights(lang: Tongue): RightsView {
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
  const regulars = s('深渊固定队', 'Abyss regulars')
  const announcements = s('公告', 'Announcements')
  const events = s('活动与福利', 'Events')
  const explained = (permission: string, isHeld: boolean, where: AccessPlace | null, memberGroup = regulars) => ({
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
  api.explained = {
    rights: [
      explained('view', true, everywhere),
      explained('readHistory', true, everywhere),
      explained('speak', false, inGroup),
      explained('attach', true, inTopic),
      explained('react', true, everywhere, ''),
      explained('mentionAll', false, everywhere),
      explained('pin', false, null),
      explained('recallOthers', false, null),
      explained('mute', false, null),
      explained('bypassSlowMode', false, null),
      explained('joinVoice', true, everywhere),
      explained('speakVoice', false, inGroup),
      explained('manageTopics', false, null),
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
  api.invites = [
    {
      code: 'A',
      link: 'tulou://join/192.168.1.20:4780/K7Q2-9XDM#sha256-Zk3v',
      expiresAt: Date.now() + 86_400_000,
      maxUses: 25,
      uses: 3,
      madeBy: s('林间鹿', 'Fawn'),
      came: [s('小满', 'Maple'), 'Kestrel', s('阿岚', 'Wren')],
      hasLapsed: false,
      madeAt: Date.now() - 3_600_000,
    },
    {
      code: 'B',
      link: 'tulou://join/192.168.1.20:4780/PQ4W-7KDA?id=0198c1d2e3f4&key=sha256-Zk3vWfQy7m1rJ0bT2sXcD9hN4uLpEa6g',
      expiresAt: null,
      maxUses: null,
      uses: 40,
      madeBy: '',
      came: Array.from({ length: 10 }, (_, no) => s(`候鸟${no + 1}`, `Swift ${no + 1}`)),
      hasLapsed: false,
      madeAt: Date.now() - 40 * 86_400_000,
    },
    {
      code: 'C',
      link: 'tulou://join/192.168.1.20:4780/3HQX-L2MN',
      expiresAt: Date.now() - 60_000,
      maxUses: 5,
      uses: 5,
      madeBy: 'Kestrel',
      came: [s('小满', 'Maple')],
      hasLapsed: false,
      madeAt: Date.now() - 7 * 86_400_000,
    },
    {
      code: 'D',
      link: 'tulou://join/192.168.1.20:4780/9XDM-PQ4W',
      expiresAt: null,
      maxUses: null,
      uses: 12,
      madeBy: s('旧友', 'Old friend'),
      came: [s('阿岚', 'Wren')],
      hasLapsed: true,
      madeAt: Date.now() - 30 * 86_400_000,
    },
  ]
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

/** A topic of many messages, opened at its first unread one. */
export function longScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  const people = ['林间鹿', 'Kestrel', '阿澈', 'Mori', '小舟']
  const lines = [
    s('今晚还打吗', 'Are we playing tonight?'),
    'ok',
    s(
      '我十点以后才有空，你们先打，留一个位置给我就行，谢谢',
      'I am free after ten, start without me and keep a seat please',
    ),
    '👍',
    s('好的', 'sure'),
  ]
  const start = Date.now() - 1000 * 90_000
  api.topics.set(
    't3',
    timeline({
      name: s('招募队友', 'looking-for-group'),
      rows: Array.from({ length: 1000 }, (_, index) => {
        const who = people[Math.floor(index / 3) % people.length] ?? ''
        return message(`l${index + 1}`, index + 1, `${lines[(index * 7) % lines.length] ?? ''} ${index + 1}`, {
          author: { id: who, name: who, tag: null },
          sentAt: start + index * 90_000,
        })
      }),
      firstUnread: 900,
      unread: 101,
    }),
  )
  return api
}

/** More of everything than most have: fifty communities, 5,000 topics, the longest names, and ten people of one name. */
export function crowdedScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  const longest = (n: number): string =>
    [...s('长安城南的读书人与守夜人', 'The long and winding name of a place ').repeat(6)]
      .slice(0, 57)
      .join('')
      .concat(String(n).padStart(3, '0'))
  const whole = api.trees.get('c1')
  if (!whole) return api
  api.trees.set('c1', {
    ...whole,
    name: longest(1),
    groups: Array.from({ length: 100 }, (_, g) => ({
      id: `cg${g}`,
      name: longest(g),
      badge: NO_BADGE,
      permissions: ['manageTopics'],
      isPending: false,
      topics: Array.from({ length: 50 }, (_, t) =>
        topic(g === 0 && t === 0 ? 't3' : `ct${g}-${t}`, longest(g * 50 + t), {
          introduction: longest(t),
          badge: t % 3 === 0 ? { unread: 12_345, mentions: t % 2 === 0 ? 1_200 : 0, hasDot: false } : NO_BADGE,
        }),
      ),
    })),
  })
  const [first, ...others] = api.app.accounts
  if (first)
    api.app = {
      ...api.app,
      accounts: [
        {
          ...first,
          displayName: longest(7),
          serverName: longest(8),
          communities: Array.from({ length: 50 }, (_, n) => ({
            id: `c${n + 1}`,
            name: longest(n + 1),
            badge: { unread: n * 40, mentions: n % 4 === 0 ? n * 30 : 0, hasDot: false },
            isPending: false,
          })),
        },
        ...others.map((one) => ({
          ...one,
          communities: one.communities.map((tile) => ({ ...tile, id: `other-${tile.id}` })),
        })),
      ],
    }
  const same = s('小明', 'Alex')
  api.members = {
    ...api.members,
    sections: [
      {
        memberGroup: 'mods',
        name: longest(3),
        count: 10,
        members: Array.from({ length: 10 }, (_, n) =>
          member(`same${n}`, same, { accountName: `alex${n}`, looksAlike: true, memberGroups: ['mods'] }),
        ),
      },
      { memberGroup: null, name: '', count: 1, members: [member('endless', longest(9))] },
    ],
  }
  const timeline = api.topics.get('t3')
  if (timeline) api.topics.set('t3', { ...timeline, name: longest(0), introduction: longest(0) })
  return api
}

export function offlineScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  const [first, ...others] = api.app.accounts
  if (first) {
    api.app = {
      ...api.app,
      accounts: [{ ...first, connection: { state: 'offline', retryAt: Date.now() + 12_000 }, waiting: 3 }, ...others],
    }
  }
  const whole = api.topics.get('t3') as TimelineView
  api.topics.set('t3', {
    ...whole,
    pending: [
      mine(lang, 'p1', s('收到,九点前上线,我玩副坦。', 'Got it, on before nine, I will off-tank.'), {}),
      mine(lang, 'p2', s('刚才断网了', 'My network went down'), {}),
      mine(lang, 'p3', s('联网以后会按顺序发出', 'These go out in order later'), {}),
    ],
  })
  api.members = { ...api.members, isFresh: false }
  return api
}

/** The second account's history cannot be opened. */
export function brokenScene(lang: Tongue, theme: 'light' | 'dark', trouble: StoreTrouble): StandIn {
  const api = fullScene(lang, theme)
  const [first] = api.app.accounts
  if (first) {
    const key = 's9.me'
    const store = { file: '/home/me/.local/share/tulou/accounts/s9.me.sqlite', trouble, aside: null }
    const broken = { ...first, key, serverName: 'Starsea', communities: [], store }
    api.app = { ...api.app, accounts: [first, broken] }
  }
  return api
}

/** A damaged history was set aside. */
export function asideScene(lang: Tongue, theme: 'light' | 'dark', commands = 2, drafts = 1): StandIn {
  const api = fullScene(lang, theme)
  const aside = {
    file: 's1.me.sqlite.damaged-2026-11-23T072737Z',
    folder: '/home/me/.local/share/tulou/accounts',
    at: Date.now(),
    commands,
    drafts,
    isWhole: false,
  }
  api.app = {
    ...api.app,
    accounts: api.app.accounts.map((account) => ({ ...account, store: { ...account.store, aside } })),
  }
  return api
}

/** The list of accounts was damaged, or is in another trouble. */
export function listScene(lang: Tongue, theme: 'light' | 'dark', trouble: ListView['trouble'] = null): StandIn {
  const api = fullScene(lang, theme)
  const aside = {
    file: 'accounts.json.damaged-2026-11-23T072737Z',
    folder: '/home/me/.local/share/tulou',
    at: Date.now(),
    accounts: 2,
  }
  const file = '/home/me/.local/share/tulou/accounts.json'
  api.app = { ...api.app, list: { file, trouble, aside: trouble ? null : aside } }
  return api
}

export function rejectedScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  const no = { permission: 'manageTopics', limit: null, retryAfterS: null }
  const [first, ...others] = api.app.accounts
  if (first) {
    api.app = {
      ...api.app,
      accounts: [
        {
          ...first,
          rejected: [
            {
              command: 'x1',
              method: 'topic.create',
              subject: s('开黑约战', 'scrims'),
              community: 'c1',
              topic: null,
              text: null,
              rejection: { code: 'not_allowed', ...no },
            },
          ],
        },
        ...others,
      ],
    }
  }
  const whole = api.topics.get('t3') as TimelineView
  api.topics.set('t3', {
    ...whole,
    firstUnread: null,
    rows: whole.rows.map((row) =>
      row.id === 'm3'
        ? {
            ...row,
            refused: {
              command: 'x2',
              method: 'message.pin',
              message: 'm3',
              text: null,
              rejection: { code: 'too_many', ...no, limit: 250 },
            },
          }
        : row,
    ),
    pending: [
      mine(lang, 'p1', s('收到,九点前上线,我玩副坦。', 'Got it, on before nine, I will off-tank.'), {
        delivery: { state: 'failed', rejection: { code: 'muted', permission: null, limit: null, retryAfterS: null } },
      }),
    ],
  })
  return api
}

/** An edit that another device overtook, one that was refused, and what was not seen yet above. */
export function editsScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  const person = 'AZig0AAAcACAAAAAAAAAAQ'
  const whole = api.topics.get('t3') as TimelineView
  const no = { permission: null, limit: null, retryAfterS: null }
  const [first, last] = [whole.rows[0], whole.rows.at(-1)]
  if (!first || !last) return api
  api.topics.set('t3', {
    ...whole,
    firstUnread: null,
    unread: 480,
    readTo: 0,
    newMentions: ['old'],
    rows: [
      ...whole.rows.slice(0, -1),
      {
        ...last,
        isMine: true,
        actions: ['edit', 'recall'],
        refused: {
          command: 'x2',
          method: 'message.edit',
          message: last.id,
          text: s('今晚九点半开', 'We start at half past nine'),
          rejection: { code: 'changed_meanwhile', ...no },
        },
      },
    ],
    edits: [
      {
        message: first.id,
        base: s('八点集合', 'We meet at eight'),
        text: s(`<@${person}> 八点半集合，别迟到`, `<@${person}> we meet at half past eight, be on time`),
        now: s('七点集合，地点不变。', 'We meet at seven, same place.'),
        isRecalled: false,
        canRecall: true,
      },
    ],
    mentioned: [{ id: person, name: s('小明', 'Kestrel') }],
  })
  return api
}

/** Something was written for topics that are not available. */
export function strandedScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  const long = s(
    '周六晚上的安排：八点集合，先打两把热身，九点正式开始。\n缺一个主坦，会的朋友请提前说一声。',
    'Plans for Saturday night: we meet at eight, two rounds to warm up, and begin at nine.\nWe lack a tank, so say if you can.',
  )
  const [first, ...others] = api.app.accounts
  if (first) {
    const rejected: RejectedView = {
      command: 'x3',
      method: 'message.send',
      subject: long.slice(0, 80),
      community: null,
      topic: 'gone',
      text: long,
      rejection: { code: 'not_found', permission: null, limit: null, retryAfterS: null },
    }
    const stranded = [
      { topic: 'g1', message: null, name: s('开黑约战', 'scrims'), text: long },
      { topic: 'g2', message: null, name: '', text: s('还没写完', 'not finished') },
    ]
    api.app = { ...api.app, accounts: [{ ...first, rejected: [rejected], stranded }, ...others] }
  }
  return api
}

export function emptyCommunityScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const s = pick(lang)
  api.trees.set('c1', tree({ name: s('星海玩家社群', 'Starsea Players'), members: 1, online: 1, groups: [] }))
  api.members = {
    sections: [
      {
        memberGroup: null,
        name: '',
        count: 1,
        members: [member('me', s('夏至', 'Solstice'), { isMe: true, isOwner: true })],
      },
    ],
    next: null,
    isFresh: true,
  }
  return api
}

export function emptyTopicScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  const whole = api.topics.get('t3') as TimelineView
  api.topics.set('t3', { ...whole, rows: [], pending: [], pins: [], firstUnread: null, unread: 0, head: 0 })
  return api
}

export function noCommunityScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = fullScene(lang, theme)
  api.app = { ...api.app, lastPlace: null, accounts: [account({ displayName: pick(lang)('夏至', 'Solstice') })] }
  return api
}

export function firstStartScene(lang: Tongue, theme: 'light' | 'dark'): StandIn {
  const api = new StandIn()
  api.app = appView({ accounts: [], settings: settings({ language: lang, theme }), hosting: null })
  return api
}
