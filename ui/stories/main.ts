// One story per address: `?story=name&lang=en&theme=dark&size=160`. Without a name: the list of all.
import { mount } from 'svelte'
import '../src/app.css'
import { Refused } from '../src/api'
import App from '../src/App.svelte'
import { i18n } from '../src/i18n.svelte'
import type { Dialog } from '../src/state/dialogs.svelte'
import { emojiState } from '../src/state/emoji.svelte'
import type { StandIn } from '../src/testing/stand-in'
import {
  asideScene,
  brokenScene,
  crowdedScene,
  editsScene,
  emptyCommunityScene,
  emptyTopicScene,
  firstStartScene,
  fullScene,
  listScene,
  longScene,
  namesScene,
  noCommunityScene,
  offlineScene,
  rejectedScene,
  strandedScene,
  type Tongue,
} from './scenes'
import { dialogStories } from './dialogs'
import { firstKeyringScene, keptScene } from './scenes/keyring'
import { click, frames, pause, there, type } from './steps'
import type { Story } from './story'
import { doubtful, moreTextsScene, textsScene } from './texts'

const dialog = (shown: Dialog): Story => ({ scene: fullScene, then: (window) => window.dialogs.show(shown) })
/** What a selector finds, as soon as it is there. */
async function found(selector: string): Promise<HTMLElement | null> {
  for (let n = 0; n < 200; n += 1) {
    const element = document.querySelector<HTMLElement>(selector)
    if (element) return element
    await frames(1)
  }
  return null
}
const menuAt = async (selector: string, x: number, y: number): Promise<void> => {
  const element = await found(selector)
  element?.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true, clientX: x, clientY: y }))
}

const stories: Record<string, Story> = {
  ...dialogStories,
  full: { scene: fullScene },
  long: { scene: longScene },
  crowded: { scene: crowdedScene },
  'crowded-switcher': { scene: crowdedScene, then: (window) => window.dialogs.show({ kind: 'switcher' }) },
  'crowded-menu': { scene: crowdedScene, then: () => click('[data-testid=community-menu]') },
  names: { scene: namesScene },
  texts: { scene: textsScene },
  'texts-shown': {
    scene: textsScene,
    then: async () => {
      await there('[data-testid=spoiler]')
      click('[data-testid=spoiler]')
    },
  },
  'texts-more': { scene: moreTextsScene },
  link: dialog({ kind: 'link', target: doubtful, open: () => undefined }),
  'first-start': { scene: firstStartScene },
  'first-host': {
    scene: firstStartScene,
    then: async () => {
      await frames(2)
      click('[data-testid=first-host]')
    },
  },
  'first-join': {
    scene: firstStartScene,
    then: async () => {
      await frames(2)
      click('[data-testid=first-join]')
      await frames(2)
      const input = document.querySelector<HTMLInputElement>('[data-testid=join-link]')
      if (input) {
        input.value = 'tulou://invite'
        input.dispatchEvent(new Event('input', { bubbles: true }))
      }
      await frames(1)
      click('[data-testid=join-look]')
    },
  },
  'no-community': { scene: noCommunityScene },
  'empty-community': { scene: emptyCommunityScene },
  'empty-topic': { scene: emptyTopicScene },
  offline: { scene: offlineScene },
  'not-hosting': {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const failure = { code: 'in_use', details: 'open the store: another program works in /home/me/tulou/server' }
      if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, failure } }
      return api
    },
    then: (window) => window.dialogs.show({ kind: 'settings', page: 'server' }),
  },
  'keyring-reading': { scene: (lang, theme) => keptScene(lang, theme, 'waits', 'keeping', 'reading') },
  'keyring-unread': { scene: (lang, theme) => keptScene(lang, theme, 'refused', 'unread', 'unread') },
  'keyring-unkept': { scene: (lang, theme) => keptScene(lang, theme, 'refused', 'unkept', 'unforgotten') },
  'keyring-forgetting': { scene: (lang, theme) => keptScene(lang, theme, 'waits', 'settled', 'forgetting') },
  'keyring-missing': { scene: (lang, theme) => keptScene(lang, theme, 'missing', 'unread', 'settled') },
  'first-missing': { scene: (lang, theme) => firstKeyringScene(lang, theme, 'missing') },
  'first-waits': {
    scene: (lang, theme) => firstKeyringScene(lang, theme, 'waits'),
    then: () => click('[data-testid=first-join]'),
  },
  'first-refused': {
    scene: (lang, theme) => firstKeyringScene(lang, theme, 'refused'),
    then: () => click('[data-testid=first-host]'),
  },
  'hosting-starts': {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const accounts = api.app.accounts.map((one) => ({
        ...one,
        connection: { state: 'offline' as const, retryAt: Date.now() + 9_000 },
      }))
      if (api.app.hosting)
        api.app = { ...api.app, accounts, hosting: { ...api.app.hosting, isStarting: true, addresses: [], key: null } }
      return api
    },
  },
  broken: {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const failure = { code: 'broken', details: 'what tells of commits broke, so the server ended' }
      if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, failure, addresses: [], key: null } }
      return api
    },
  },
  'clock-behind': {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const clock = 'behind' as const
      const accounts = api.app.accounts.map((one) => ({ ...one, clock }))
      if (api.app.hosting) api.app = { ...api.app, accounts, hosting: { ...api.app.hosting, clock } }
      return api
    },
    then: (window) => window.dialogs.show({ kind: 'settings', page: 'server' }),
  },
  'clock-off': {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const accounts = api.app.accounts.map((one) => ({ ...one, isHostedHere: false, ahead: 7_200_000 }))
      api.app = { ...api.app, accounts }
      return api
    },
  },
  unusable: {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const cause = { code: 'certificate_expired', about: '2026-11-29T08:00:00Z' }
      const connection = { state: 'offline' as const, retryAt: Date.now() + 12_000, cause }
      const accounts = api.app.accounts.map((one) => ({ ...one, isHostedHere: false, connection }))
      api.app = { ...api.app, accounts }
      return api
    },
  },
  'join-wrong': {
    scene: (lang, theme) => {
      const api = fullScene(lang, theme)
      const reason = { code: 'link_cut', message: '', rejection: null, about: 'key=' }
      api.peek = () => Promise.reject(new Refused(reason))
      return api
    },
    then: async (window) => {
      window.dialogs.show({ kind: 'join', link: 'tulou://join/K7Q2?at=wss%3A%2F%2F192.168.1.20&key=Zk' })
      await frames(2)
      click('[data-testid=join-look]')
    },
  },
  'add-account': dialog({ kind: 'join', link: '', isAccount: true }),
  'invite-new': dialog({ kind: 'invite', isNew: true }),
  rejected: { scene: rejectedScene },
  stranded: { scene: strandedScene },
  edits: { scene: editsScene },
  'mention-list': {
    scene: fullScene,
    then: async () => {
      await pause(1_000)
      click('[data-testid=composer-mention]')
    },
  },
  'store-aside': { scene: asideScene },
  'list-aside': { scene: listScene },
  'store-too-new': {
    scene: (lang, theme) => brokenScene(lang, theme, 'tooNew'),
    then: (window) => window.openPlace({ account: 's9.me', community: null, topic: null }),
  },
  'admin-access': dialog({ kind: 'admin', page: 'access' }),
  'admin-overview': dialog({ kind: 'admin', page: 'overview' }),
  'admin-groups': dialog({ kind: 'admin', page: 'groups' }),
  'admin-members': dialog({ kind: 'admin', page: 'members' }),
  'admin-invites': dialog({ kind: 'admin', page: 'invites' }),
  settings: dialog({ kind: 'settings' }),
  'settings-account': {
    scene: fullScene,
    then: async (window) => {
      window.dialogs.show({ kind: 'settings', page: 'account' })
      await there('[data-testid=page-account]')
    },
  },
  add: dialog({ kind: 'add' }),
  invite: dialog({ kind: 'invite' }),
  shortcuts: dialog({ kind: 'shortcuts' }),
  switcher: dialog({ kind: 'switcher' }),
  explain: dialog({ kind: 'explain', member: { id: 'kes', name: 'Kestrel' }, topic: 't3' }),
  'create-topic': dialog({ kind: 'createTopic', group: 'g2' }),
  'name-long': {
    scene: namesScene,
    then: (window) =>
      window.dialogs.show({
        kind: 'explain',
        member: { id: 'long', name: 'W'.repeat(60) },
        topic: 't3',
      }),
  },
  'name-too-long': {
    scene: fullScene,
    then: async (window) => {
      window.dialogs.show({ kind: 'createTopic', group: 'g2' })
      await frames(3)
      type('[data-testid=topic-name]', i18n.locale === 'en' ? 'A long name, '.repeat(5) : '很长的名字'.repeat(13))
      type('[data-testid=topic-introduction]', '👍'.repeat(950))
    },
  },
  confirm: {
    scene: fullScene,
    then: (window) =>
      window.dialogs.show({
        kind: 'confirm',
        text: '解散“星海”？所有话题和消息都会被删除。',
        action: '解散社群',
        typed: '星海',
        run: () => Promise.resolve(),
      }),
  },
  menu: {
    scene: fullScene,
    then: () => menuAt('[data-message-id=m2]', 700, 300),
  },
  'menu-topic': { scene: fullScene, then: () => menuAt('[data-topic-id=t4]', 200, 300) },
  'menu-group': { scene: fullScene, then: () => menuAt('[data-group-id=g2]', 200, 240) },
  'menu-community': { scene: fullScene, then: () => click('[data-testid=community-menu]') },
  emoji: {
    scene: fullScene,
    then: async () => {
      await emojiState.load()
      await frames(6)
      click('[data-testid=composer-emoji]')
    },
  },
  'emoji-found': {
    scene: fullScene,
    then: async () => {
      await emojiState.load()
      await frames(6)
      click('[data-testid=composer-emoji]')
      await frames(2)
      type('[data-testid=emoji-search]', i18n.locale === 'en' ? 'hand' : '手')
      emojiState.choose('medium')
    },
  },
  pins: {
    scene: fullScene,
    then: async () => {
      await frames(6)
      click('[data-testid=open-pins]')
    },
  },
  person: {
    scene: fullScene,
    then: async () => {
      await there('[data-message-id=m2] [data-testid=author]')
      click('[data-message-id=m2] [data-testid=author]')
    },
  },
  marks: {
    scene: fullScene,
    then: async (window) => {
      const { api } = window as unknown as { api: StandIn }
      const topic = window.timeline?.topic ?? ''
      const view = api.topics.get(topic)
      if (!view) return
      const last = view.rows.at(-1)
      const mine = view.pending[0]
      api.topics.set(topic, {
        ...view,
        rows: view.rows.map((one) =>
          one.id === 'm3' ? { ...one, isPinned: true, writtenAt: one.sentAt + 7_200_000 } : one,
        ),
        pending: mine
          ? [
              { ...mine, id: 'w1', delivery: { state: 'sending' } },
              { ...mine, id: 'w2', delivery: { state: 'sending' }, sentAt: mine.sentAt + 1_000 },
            ]
          : [],
        head: last?.seq ?? 0,
      })
      api.tell({ type: 'timeline', account: window.place?.account ?? '', topic })
      await frames(6)
    },
  },
  reply: {
    scene: fullScene,
    then: async () => {
      await frames(6)
      document.querySelector('[data-message-id=m2]')?.dispatchEvent(new PointerEvent('pointerenter'))
      await frames(1)
      click('[data-message-id=m2] [data-testid=tool-reply]')
    },
  },
  narrow: {
    scene: fullScene,
    then: (window) => {
      window.isMembersOverlayOpen = true
    },
  },
  toast: {
    scene: fullScene,
    then: (window) => window.fail(new Error('the disk is full')),
  },
}

const target = document.getElementById('app')
if (!target) throw new Error('the page has no #app')
const query = new URLSearchParams(location.search)
const story = stories[query.get('story') ?? '']
if (story) {
  const lang: Tongue = query.get('lang') === 'en' ? 'en' : 'zh-CN'
  const api = story.scene(lang, query.get('theme') === 'dark' ? 'dark' : 'light')
  const textSize = Number(query.get('size') ?? 100)
  api.app = { ...api.app, settings: { ...api.app.settings, textSize } }
  mount(App, {
    target,
    props: {
      api,
      onready: (window) => {
        Object.assign(globalThis, { tulou: { window, api } })
        void story.then?.(window)
      },
    },
  })
} else {
  for (const name of Object.keys(stories)) {
    const link = document.createElement('a')
    link.href = `?story=${name}`
    link.textContent = name
    target.append(link, document.createElement('br'))
  }
}
