// Where nothing is yet.
import type { TimelineView } from '../../src/api'
import { StandIn } from '../../src/testing/stand-in'
import { account, appView, member, settings, tree } from '../../src/testing/views'
import { fullScene } from './full'
import { pick, type Tongue } from './words'

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
