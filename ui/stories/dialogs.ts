// The dialogs and pages of a community's admin, as they are opened.
import type { MemberView } from '../src/api'
import { i18n } from '../src/i18n.svelte'
import { memberMenu } from '../src/menus'
import type { Dialog } from '../src/state/dialogs.svelte'
import type { WindowState } from '../src/state/window.svelte'
import type { StandIn } from '../src/testing/stand-in'
import { member } from '../src/testing/views'
import type { Scene, Story } from './story'
import { fullScene } from './scenes'
import { press, there, type } from './steps'

const shown = (dialog: Dialog | ((window: WindowState) => Dialog), ...pressed: string[]): Story => ({
  scene: fullScene,
  then: async (window) => {
    await there('[data-testid=tree]')
    window.dialogs.show(typeof dialog === 'function' ? dialog(window) : dialog)
    await press(...pressed)
  },
})
const scene =
  (change: (api: StandIn) => void): Scene =>
  (lang, theme) => {
    const api = fullScene(lang, theme)
    change(api)
    return api
  }

const topicOf = (window: WindowState, id: string): Dialog => {
  const topic = window.tree?.view?.groups.flatMap((group) => group.topics).find((one) => one.id === id)
  if (!topic) throw new Error(`there is no topic ${id}`)
  return { kind: 'seats', topic }
}
const kestrel = { id: 'kes', name: 'Kestrel' }
const WIDE = 'W'.repeat(60)

/** Names of sixty wide characters, and as many member groups as there may be. */
const huge = scene((api) => {
  const wide = (id: string, more: Partial<MemberView> = {}): MemberView =>
    member(id, WIDE, { accountName: WIDE, ...more })
  const [whole] = api.trees.values()
  if (whole) api.trees.set('c1', { ...whole, name: WIDE })
  api.members = {
    next: 'on',
    isFresh: false,
    sections: [{ memberGroup: null, name: '', count: 3, members: [wide('w1'), wide('w2', { hasSeat: true })] }],
  }
  const groups = Array.from({ length: 250 }, (_, n) => ({
    id: `many${n}`,
    name: n === 0 ? WIDE : `${n}`.padStart(3, '0') + ' Player',
    isShown: true,
    hasTag: false,
    canEdit: n > 1,
    canAssign: true,
    isPending: n === 2,
  }))
  api.access = { memberGroups: [...groups, ...api.access.memberGroups.slice(-1)] }
  const some = groups.slice(0, 12).map((one) => one.name)
  const rows = some.map((memberGroup) => ({
    ...api.explained.rows.at(-1),
    place: { level: 'community' as const },
    memberGroup,
  }))
  api.explained = {
    ...api.explained,
    memberGroups: groups.slice(0, 40).map((one) => one.name),
    rows: [...rows.map((row) => ({ placeName: '', allow: ['attach'], deny: [], ...row })), ...api.explained.rows],
  }
  api.rights = { ...api.rights, lines: api.rights.lines.map((line) => ({ ...line, name: WIDE })) }
  api.invites = api.invites.map((one) => ({ ...one, madeBy: WIDE }))
})

/** Another key than the one that was known. */
const otherKey = scene((api) => {
  const key = 'sha256-Zk3vWfQy7m1rJ0bT2sXcD9hN4uLpEa6g'
  api.relocate = () => Promise.resolve({ result: 'otherKey', old: key, new: [...key].reverse().join('') })
})
const lostThere = scene((api) => {
  const lost = ['t3', 't4'].map((topic) => ({ topic, community: 'c1', name: topic, count: 2, isRestored: true }))
  api.app = { ...api.app, accounts: api.app.accounts.map((one, at) => (at === 0 ? { ...one, lost } : one)) }
})

const transfer: Dialog = { kind: 'transfer', account: 's1.me', community: 'c1', name: 'Starsea' }
const access: Dialog = { kind: 'admin', page: 'access' }
const codes = Array.from({ length: 10 }, (_, n) => `ABCD-EFGH-JKMN-PQR${n}`)

export const dialogStories: Record<string, Story> = {
  host: shown({ kind: 'host' }),
  join: shown({ kind: 'join', link: '' }),
  'create-community': shown({ kind: 'createCommunity' }),
  'create-group': shown({ kind: 'createGroup' }),
  seats: shown((window) => topicOf(window, 't7')),
  'seats-wide': { ...shown((window) => topicOf(window, 't7'), 'seats-page'), scene: huge },
  transfer: shown(transfer),
  'transfer-heir': shown(transfer, 'transfer-member'),
  'transfer-wide': { ...shown(transfer, 'transfer-member'), scene: huge },
  'admin-access-menu': {
    scene: fullScene,
    then: async (window) => {
      window.dialogs.show(access)
      await there('[data-cell="4:3"]')
      document.querySelector<HTMLElement>('[data-cell="4:3"]')?.click()
    },
  },
  'admin-access-group': shown(access, 'member-group-mod'),
  'admin-access-wide': { ...shown(access, 'member-group-many3'), scene: huge },
  'admin-invites-wide': { ...shown({ kind: 'admin', page: 'invites' }), scene: huge },
  'group-members': shown(access, 'member-group-mod', 'member-group-members'),
  'new-member-group': shown(access, 'new-member-group'),
  'delete-member-group': shown(access, 'member-group-mod', 'delete-member-group'),
  lockout: {
    scene: scene((api) => {
      const [whole] = api.trees.values()
      if (whole) api.trees.set('c1', { ...whole, isOwner: false })
    }),
    then: async (window) => {
      await there('[data-testid=tree]')
      window.dialogs.show(access)
      await there('[data-cell="4:0"]')
      const cell = document.querySelector<HTMLElement>('[data-cell="4:0"]')
      cell?.focus()
      cell?.dispatchEvent(new KeyboardEvent('keydown', { key: 'd', bubbles: true }))
    },
  },
  'settings-security': shown({ kind: 'settings', page: 'security' }),
  'settings-server': shown({ kind: 'settings', page: 'server' }),
  'settings-accounts': shown({ kind: 'settings', page: 'accounts' }),
  'explain-wide': { ...shown({ kind: 'explain', member: { id: 'w1', name: WIDE }, topic: 't3' }), scene: huge },
  'explain-who': shown({ kind: 'explain', member: kestrel, topic: 't3' }, 'explain-who'),
  restore: shown({ kind: 'restore', path: '' }),
  'restore-replaces': {
    ...shown({ kind: 'restore', path: '/b/now.tulou-backup' }),
    scene: scene((api) => (api.peeked = { ...api.peeked, replaces: 'Starsea' })),
  },
  lost: { ...shown({ kind: 'lost', account: 's1.me' }), scene: lostThere },
  'sign-in': shown({ kind: 'signIn', account: 's1.me' }),
  relocate: shown({ kind: 'relocate', account: 's1.me' }),
  'relocate-key': {
    scene: otherKey,
    then: async (window) => {
      window.dialogs.show({ kind: 'relocate', account: 's1.me' })
      await there('[data-testid=relocate-link]')
      type('[data-testid=relocate-link]', 'chat.example.org')
      await press('relocate-submit')
    },
  },
  'recovery-codes': shown({ kind: 'recoveryCodes', account: 's1.me', codes }),
  'confirm-wide': shown({
    kind: 'confirm',
    text: WIDE,
    action: 'Dissolve community',
    typed: WIDE,
    run: () => Promise.resolve(),
  }),
  kick: {
    scene: fullScene,
    then: async (window) => {
      await there('[data-testid=tree]')
      const items = await memberMenu(window, member('kes', 'Kestrel'))
      items.forEach((item) => item.kind === 'item' && item.label === i18n.t.members.kick && item.run())
    },
  },
  'confirm-plain': shown({
    kind: 'confirm',
    text: '作废这个链接？之后不能再用它加入。',
    action: '作废',
    run: () => Promise.resolve(),
  }),
}
