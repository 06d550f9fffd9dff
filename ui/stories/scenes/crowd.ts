// More of everything than most have, and names that are none.
import type { MessageView } from '../../src/api'
import type { StandIn } from '../../src/testing/stand-in'
import { member, message, NO_BADGE, timeline, topic } from '../../src/testing/views'
import { fullScene } from './full'
import { at, pick, type Tongue } from './words'

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
