// What went wrong: no network, a store that cannot be opened, refusals, what was written for nothing.
import type { ListView, RejectedView, StoreTrouble, TimelineView } from '../../src/api'
import type { StandIn } from '../../src/testing/stand-in'
import { fullScene } from './full'
import { mine } from './messages'
import { pick, type Tongue } from './words'

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
