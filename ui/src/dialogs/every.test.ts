import { readFileSync } from 'node:fs'
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { doubtful } from '../../stories/texts'
import App from '../App.svelte'
import { tabbablesIn } from '../lib/focus'
import type { Dialog } from '../state/dialogs.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'
import { press } from '../testing/hands'

beforeAll(() => Promise.all([import('./AdminSheet.svelte'), import('./SettingsDialog.svelte')]))
afterEach(cleanup)

type Way = {
  /** What is shown. */
  show: Dialog | ((window: WindowState) => Dialog)
  /** What is pressed on the way, the last of it being the opener. */
  press?: string[]
  testid: string
  /** What has the keyboard first. */
  first: string
  /** What Enter does in a field of it: the first button that submits, for each form. */
  enter: (string | undefined)[]
  /** What the program behind the window says. */
  scene?: (api: StandIn) => void
  /** It asks before it goes. */
  stays?: true
}

const topicOf = (window: WindowState, id: string) => {
  const topic = window.tree?.view?.groups.flatMap((group) => group.topics).find((one) => one.id === id)
  if (!topic) throw new Error(`there is no topic ${id}`)
  return topic
}
const groupOf = (window: WindowState) => {
  const group = window.tree?.view?.groups[1]
  if (!group) throw new Error('there is no group')
  return group
}
const confirm = { kind: 'confirm', text: 'Sure?', action: 'Delete', run: () => Promise.resolve() } as const
const admin = (page: Extract<Dialog, { kind: 'admin' }>['page']): Dialog => ({ kind: 'admin', page })
const settings = (page: Extract<Dialog, { kind: 'settings' }>['page']): Dialog => ({ kind: 'settings', page })
const kestrel = { id: 'kes', name: 'Kestrel' }

const ways: Record<string, Way> = {
  'what can be added': { show: { kind: 'add' }, testid: 'dialog-add', first: 'add-create', enter: [] },
  hosting: { show: { kind: 'host' }, testid: 'dialog-host', first: 'host-community', enter: ['host-submit'] },
  joining: { show: { kind: 'join', link: '' }, testid: 'dialog-join', first: 'join-link', enter: ['join-look'] },
  'another account': {
    show: { kind: 'join', link: '', isAccount: true },
    testid: 'dialog-join',
    first: 'join-link',
    enter: ['join-look'],
  },
  'a new community': {
    show: { kind: 'createCommunity' },
    testid: 'dialog-create-community',
    first: 'community-name',
    enter: ['community-submit'],
  },
  'a new group': {
    show: { kind: 'createGroup' },
    testid: 'dialog-create-group',
    first: 'name-input',
    enter: ['name-submit'],
  },
  'the name of a group': {
    show: (window) => ({ kind: 'renameGroup', group: groupOf(window) }),
    testid: 'dialog-rename-group',
    first: 'name-input',
    enter: ['name-submit'],
  },
  'a new topic': {
    show: { kind: 'createTopic', group: 'g2' },
    testid: 'dialog-create-topic',
    first: 'topic-name',
    enter: ['topic-submit'],
  },
  'a topic': {
    show: (window) => ({ kind: 'editTopic', topic: topicOf(window, 't3') }),
    testid: 'dialog-edit-topic',
    first: 'topic-name',
    enter: ['topic-submit'],
  },
  seats: {
    show: (window) => ({ kind: 'seats', topic: topicOf(window, 't7') }),
    testid: 'dialog-seats',
    first: 'seats-search',
    enter: [],
  },
  'an invitation': {
    show: { kind: 'invite' },
    testid: 'dialog-invite',
    first: 'invite-copy',
    enter: ['invite-create'],
  },
  'an invitation to a new community': {
    show: { kind: 'invite', isNew: true },
    testid: 'dialog-invite',
    first: 'invite-copy',
    enter: ['invite-create'],
  },
  'handing over': {
    show: { kind: 'transfer', account: 's1.me', community: 'c1', name: 'Starsea' },
    testid: 'dialog-transfer',
    first: 'transfer-search',
    enter: [],
  },
  'the heir': {
    show: { kind: 'transfer', account: 's1.me', community: 'c1', name: 'Starsea' },
    press: ['transfer-member'],
    testid: 'dialog-transfer',
    first: 'transfer-typed',
    enter: ['transfer-submit'],
  },
  'the overview': { show: admin('overview'), testid: 'dialog-admin', first: 'page-overview', enter: ['admin-save'] },
  'groups and topics': { show: admin('groups'), testid: 'dialog-admin', first: 'page-groups', enter: [] },
  'member groups and rights': { show: admin('access'), testid: 'dialog-admin', first: 'page-access', enter: [] },
  members: { show: admin('members'), testid: 'dialog-admin', first: 'page-members', enter: [] },
  invites: { show: admin('invites'), testid: 'dialog-admin', first: 'page-invites', enter: ['invite-create'] },
  'a new member group': {
    show: admin('access'),
    press: ['new-member-group'],
    testid: 'dialog-new-member-group',
    first: 'name-input',
    enter: ['name-submit'],
  },
  'the name of a member group': {
    show: admin('access'),
    press: ['member-group-mod', 'rename-member-group'],
    testid: 'dialog-rename-member-group',
    first: 'name-input',
    enter: ['name-submit'],
  },
  'the members of a member group': {
    show: admin('access'),
    press: ['member-group-mod', 'member-group-members'],
    testid: 'dialog-group-members',
    first: 'group-search',
    enter: [],
  },
  'deleting a member group': {
    show: admin('access'),
    press: ['member-group-mod', 'delete-member-group'],
    testid: 'dialog-confirm',
    first: 'cancel',
    enter: ['confirm-submit'],
  },
  'a question with a choice': {
    show: { ...confirm, also: 'Also revoke' },
    testid: 'dialog-confirm',
    first: 'cancel',
    enter: ['confirm-submit'],
  },
  'revoking an invite': {
    show: admin('invites'),
    press: ['invite-revoke'],
    testid: 'dialog-confirm',
    first: 'cancel',
    enter: ['confirm-submit'],
  },
  general: { show: settings('general'), testid: 'dialog-settings', first: 'page-general', enter: [] },
  accounts: {
    show: settings('account'),
    testid: 'dialog-settings',
    first: 'page-account',
    enter: ['settings-save-name', 'settings-save-name'],
  },
  security: {
    show: settings('security'),
    testid: 'dialog-settings',
    first: 'page-security',
    enter: ['security-change'],
  },
  'the server': {
    show: settings('server'),
    testid: 'dialog-settings',
    first: 'page-server',
    enter: ['reach-own-save'],
  },
  'the accounts of the server': {
    show: settings('accounts'),
    testid: 'dialog-settings',
    first: 'page-accounts',
    enter: [],
  },
  'the switcher': { show: { kind: 'switcher' }, testid: 'dialog-switcher', first: 'switcher-input', enter: [] },
  shortcuts: { show: { kind: 'shortcuts' }, testid: 'dialog-shortcuts', first: 'dialog-shortcuts', enter: [] },
  'why a right is held': {
    show: { kind: 'explain', member: kestrel, topic: 't3' },
    testid: 'dialog-explain',
    first: 'explain-who',
    enter: [],
  },
  'a backup': {
    show: { kind: 'restore', path: '' },
    testid: 'dialog-restore',
    first: 'restore-path',
    enter: ['restore-look'],
  },
  'a backup that was chosen': {
    show: { kind: 'restore', path: '/b/now.tulou-backup' },
    testid: 'dialog-restore',
    first: 'restore-path',
    enter: ['restore-submit'],
  },
  'a backup that would replace a server': {
    show: { kind: 'restore', path: '/b/now.tulou-backup' },
    scene: (api) => (api.peeked = { ...api.peeked, replaces: 'Starsea' }),
    testid: 'dialog-restore',
    first: 'restore-path',
    enter: [undefined],
  },
  'messages that a server lost': {
    show: { kind: 'lost', account: 's1.me' },
    testid: 'dialog-lost',
    first: 'lost-list',
    enter: [],
  },
  'signing in': {
    show: { kind: 'signIn', account: 's1.me' },
    testid: 'dialog-sign-in',
    first: 'sign-in-password',
    enter: ['sign-in-submit'],
  },
  'a server that moved': {
    show: { kind: 'relocate', account: 's1.me' },
    testid: 'dialog-relocate',
    first: 'relocate-link',
    enter: ['relocate-submit'],
  },
  'recovery codes': {
    show: { kind: 'recoveryCodes', account: 's1.me', codes: ['ABCD-EFGH', 'JKMN-PQRS'] },
    testid: 'dialog-codes',
    first: 'codes-copy',
    enter: [],
    stays: true,
  },
  'a doubtful link': {
    show: { kind: 'link', target: doubtful, open: () => undefined },
    testid: 'dialog-link',
    first: 'link-cancel',
    enter: ['link-open'],
  },
  'a question': { show: confirm, testid: 'dialog-confirm', first: 'cancel', enter: ['confirm-submit'] },
  'a question with something to type': {
    show: { ...confirm, typed: 'Starsea' },
    testid: 'dialog-confirm',
    first: 'confirm-typed',
    enter: ['confirm-submit'],
  },
}

function scene(): StandIn {
  const api = fullScene('en', 'light')
  const lost = [
    { topic: 't3', community: 'c1', name: 'looking-for-group', count: 2, isRestored: true },
    { topic: 't4', community: 'c1', name: 'guides', count: 1, isRestored: true },
  ]
  api.app = { ...api.app, accounts: api.app.accounts.map((one, at) => (at === 0 ? { ...one, lost } : one)) }
  return api
}

const focused = (): string => {
  const at = document.activeElement as HTMLElement | null
  return at === document.body ? 'the page as a whole' : (at?.dataset.testid ?? at?.className ?? 'nothing')
}

/** Opens a dialog as a person does: from something that has the keyboard. Gives the dialog and its opener. */
async function opened(way: Way): Promise<{ dialog: HTMLElement; opener: HTMLElement; window: WindowState }> {
  const api = scene()
  way.scene?.(api)
  const window = await new Promise<WindowState>((resolve) => {
    render(App, { api, onready: resolve })
  })
  await screen.findAllByTestId('message')
  let opener = screen.getByTestId('open-switcher')
  opener.focus()
  window.dialogs.show(typeof way.show === 'function' ? way.show(window) : way.show)
  for (const testid of way.press ?? []) {
    const [found] = await screen.findAllByTestId(testid)
    if (!found) throw new Error(`there is no ${testid}`)
    if (!way.testid.startsWith('dialog-transfer')) opener = found
    found.focus()
    await fireEvent.click(found)
  }
  const dialog = await screen.findByTestId(way.testid)
  return { dialog, opener, window }
}

it('looks at dialogs of every kind', () => {
  const [own, declared] = ['every.test.ts', '../state/dialogs.svelte.ts'].map((file) =>
    readFileSync(`${import.meta.dirname}/${file}`, 'utf8'),
  )
  const [dialogs = ''] = declared?.split('export type OpenDialog') ?? []
  const kinds = [...dialogs.matchAll(/^ {2}\| \{ kind: '(\w+)'/gm)].map(([, kind = '']) => kind)
  expect(kinds.length).toBeGreaterThan(20)
  expect(kinds.filter((kind) => !own?.includes(`kind: '${kind}'`))).toEqual([])
})

describe.each(Object.entries(ways))('the dialog of %s', (_name, way) => {
  it('puts the keyboard where it is needed, and never on what destroys', async () => {
    const { dialog } = await opened(way)
    await waitFor(() => expect(focused()).toBe(way.first))
    expect(document.activeElement?.matches('.danger, .bad')).toBe(false)
    expect(dialog.closest('[inert]'), 'what lies below rests, it does not').toBeNull()
  })

  it('has no fault and a name for each control', async () => {
    const { dialog } = await opened(way)
    await waitFor(() => expect(focused()).toBe(way.first))
    expect(await faults(dialog)).toEqual([])
    for (const role of ['button', 'textbox', 'searchbox', 'combobox', 'checkbox', 'radio', 'menuitem', 'link'])
      for (const one of within(dialog).queryAllByRole(role, { name: (name) => name.trim() === '' }))
        expect(one.dataset.testid ?? one.className, `a ${role} without a name`).toBe('')
  })

  it('does its main thing on Enter, and what destroys only when it was asked for', async () => {
    const { dialog } = await opened(way)
    await waitFor(() => expect(focused()).toBe(way.first))
    const forms = [...dialog.querySelectorAll('form')].filter((form) => form.closest('[hidden]') === null)
    const defaults = forms.map((form) => form.querySelector<HTMLButtonElement>('button:not([type=button])'))
    expect(defaults.map((button) => button?.dataset.testid)).toEqual(way.enter)
    for (const button of defaults) {
      // A field that Enter would submit from, beside a button that destroys: only once it says what it must.
      const fields = button?.form?.querySelectorAll('input:not([type=checkbox], [type=radio]), select') ?? []
      if (button?.matches('.danger') === true && fields.length > 0) expect(button.disabled).toBe(true)
    }
  })

  it('keeps Tab inside', async () => {
    const { dialog } = await opened(way)
    await waitFor(() => expect(focused()).toBe(way.first))
    // Some of what is in it comes a little later.
    await waitFor(() => {
      const all = tabbablesIn(document.body)
      expect(all.filter((one) => !dialog.contains(one))).toEqual([])
      const [first, last] = [all[0], all.at(-1)]
      last?.focus()
      void press('Tab')
      expect(document.activeElement, 'after the last comes the first').toBe(first)
      void press('Tab', { shiftKey: true })
      expect(document.activeElement, 'and before it the last').toBe(last)
    })
  })

  it('closes on Escape and gives the keyboard back to its opener', async () => {
    const { dialog, opener } = await opened(way)
    await waitFor(() => expect(focused()).toBe(way.first))
    await press('Escape')
    if (way.stays) {
      expect(dialog.isConnected).toBe(true)
      expect(dialog.contains(document.activeElement)).toBe(true)
      return
    }
    await waitFor(() => expect(dialog.isConnected).toBe(false))
    await waitFor(() => expect(document.activeElement).toBe(opener))
  })
})
