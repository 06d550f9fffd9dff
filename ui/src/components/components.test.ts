import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
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
  namesScene,
  noCommunityScene,
  offlineScene,
  rejectedScene,
  strandedScene,
  type Tongue,
} from '../../stories/scenes'
import type { CannotSpeak, MessageView } from '../api'
import App from '../App.svelte'
import { i18n } from '../i18n.svelte'
import { itemsOf, type MessageItem } from '../lib/rows'
import { ComposerState } from '../state/composer.svelte'
import type { Dialog } from '../state/dialogs.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import { StandIn } from '../testing/stand-in'
import { message, timeline } from '../testing/views'
import Composer from './Composer.svelte'
import type { Mentionable } from './mentionable'
import MessageRow from './MessageRow.svelte'
import type { RowActions } from './rowActions'

const ready = async (api: StandIn): Promise<WindowState> => {
  let window: WindowState | undefined
  render(App, { api, onready: (state: WindowState) => (window = state) })
  await waitFor(() => expect(window).toBeDefined())
  return window as WindowState
}

const rowActions = (): RowActions => ({
  key: vi.fn(),
  focused: vi.fn(),
  menu: vi.fn(),
  jump: vi.fn(),
  person: vi.fn(),
  react: vi.fn(),
  pick: vi.fn(),
  reply: vi.fn(),
  edit: vi.fn(),
  retry: vi.fn(),
  discard: vi.fn(),
  discardMessage: vi.fn(),
  editAgain: vi.fn(),
  copy: vi.fn(),
  written: (text) => text,
})

function row(shown: MessageView) {
  i18n.locale = 'en'
  const actions = rowActions()
  const item = itemsOf(timeline({ rows: [shown] })).find((one): one is MessageItem => one.kind === 'message')
  if (!item) throw new Error('no row')
  const view = render(MessageRow, { item, isStop: true, isFlashed: false, position: 1, size: 1, actions })
  return { ...view, actions }
}

afterEach(cleanup)

describe('a message', () => {
  it('passes on what is clicked', async () => {
    const shown = message('m1', 1, 'hello', {
      reactions: [{ key: '🔥', count: 2, isMine: true }],
      reply: { id: 'm0', author: { id: 'x', name: 'X', tag: null }, excerpt: 'before', isRecalled: false },
    })
    const { actions } = row(shown)
    await fireEvent.click(screen.getByTestId('reaction'))
    expect(actions.react).toHaveBeenCalledWith(shown, '🔥', false)
    await fireEvent.click(screen.getByTestId('reply-quote'))
    expect(actions.jump).toHaveBeenCalledWith('m0')
    expect(screen.queryByTestId('tool-reply'), 'only under the pointer').toBeNull()
    await fireEvent.pointerEnter(screen.getByTestId('message'))
    await fireEvent.click(screen.getByTestId('tool-reply'))
    expect(actions.reply).toHaveBeenCalledWith(shown)
    expect(await faults()).toEqual([])
  })

  it('shows why it was refused and what can be done', async () => {
    const rejection = { code: 'muted', permission: null, limit: null, retryAfterS: null }
    const shown = message('m1', null, 'hello', { isMine: true, delivery: { state: 'failed', rejection } })
    const { actions } = row(shown)
    expect(screen.getByTestId('message-failed').textContent).toContain(i18n.t.errors.muted)
    await fireEvent.click(screen.getByTestId('message-retry'))
    expect(actions.retry).toHaveBeenCalledWith('m1')
    await fireEvent.click(screen.getByTestId('message-discard'))
    expect(actions.discardMessage).toHaveBeenCalledWith(shown)
  })

  it('of which an edit was refused shows what was written, and gives it back, whatever became of the message', async () => {
    const refused = {
      command: 'x1',
      method: 'message.edit',
      message: 'm1',
      text: 'hello',
      rejection: { code: 'changed_meanwhile', permission: null, limit: null, retryAfterS: null },
    }
    const mine = message('m1', 1, 'theirs', { isMine: true, refused, actions: ['edit'] })
    const { actions } = row(mine)
    expect(screen.getByTestId('refused-text').textContent).toContain('hello')
    await fireEvent.click(screen.getByTestId('refused-edit'))
    expect(actions.editAgain).toHaveBeenCalledWith(mine)
    cleanup()
    const gone = row({ ...mine, recalled: { by: 'me', isByAuthor: true }, actions: [] })
    expect(screen.queryByTestId('refused-edit')).toBeNull()
    await fireEvent.click(screen.getByTestId('refused-copy'))
    expect(gone.actions.copy).toHaveBeenCalledWith('hello')
    await fireEvent.click(screen.getByTestId('refused-discard'))
    expect(gone.actions.discard, 'no mark is left that nothing can clear').toHaveBeenCalledWith('x1')
  })

  it('shows nothing but a line after a recall', () => {
    row(message('m1', 1, 'secret', { recalled: { by: 'Mod', isByAuthor: false }, text: 'secret' }))
    const shown = screen.getByTestId('message')
    expect(shown.textContent).not.toContain('secret')
    expect(shown.textContent).toContain('Mod')
  })
})

describe('the composer', () => {
  function setup(cannotSpeak: CannotSpeak | null = null) {
    i18n.locale = 'en'
    const api = new StandIn()
    const composer = new ComposerState(api, 'a', 't', () => undefined)
    const oneditlast = vi.fn()
    const onrecall = vi.fn()
    const find = vi.fn((): Promise<Mentionable[]> => Promise.resolve([]))
    render(Composer, {
      composer,
      topicName: 'guides',
      cannotSpeak,
      findMembers: find,
      oneditlast,
      onsent: () => undefined,
      onrows: () => undefined,
      oncopy: vi.fn(),
      onrecall,
    })
    const input = screen.getByTestId<HTMLTextAreaElement>('composer-input')
    return { api, composer, input, oneditlast, onrecall, find }
  }

  it('keeps a mention when what stands before it is dragged away', async () => {
    const { api, composer, input } = setup()
    composer.write('look ')
    composer.mention('AZig0AAAcACAAAAAAAAAAQ', 'Ann')
    await tick()
    input.value = '@Ann '
    input.setSelectionRange(5, 5)
    await fireEvent(input, new InputEvent('input', { inputType: 'deleteByDrag', bubbles: true }))
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions).toMatchObject([{ text: '<@AZig0AAAcACAAAAAAAAAAQ>' }])
  })

  it('of who lost the right while writing says why, and what was written can be read and copied', async () => {
    const { api, composer, input } = setup('notAllowed')
    expect(input.readOnly).toBe(true)
    expect(input.disabled, 'what is disabled loses the keyboard, and cannot be selected').toBe(false)
    composer.write('half a thought')
    await tick()
    expect(screen.getByTestId('composer-cannot').textContent).toBe(i18n.t.composer.cannotNotAllowed)
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions).toEqual([])
    expect(composer.text).toBe('half a thought')
  })

  it('sends with Enter and breaks the line with Shift', async () => {
    const { api, input } = setup()
    await fireEvent.input(input, { target: { value: 'hello' } })
    await fireEvent.keyDown(input, { key: 'Enter', shiftKey: true })
    expect(api.actions).toEqual([])
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions.map((action) => action.type)).toEqual(['sendMessage'])
  })

  it('leaves Enter to the input method, in the order of every web view', async () => {
    const { api, input } = setup()
    await fireEvent.input(input, { target: { value: 'ni' } })
    await fireEvent.compositionStart(input)
    await fireEvent.keyDown(input, { key: 'Enter', isComposing: true })
    await fireEvent.keyDown(input, { key: 'Enter', keyCode: 229 })
    input.dispatchEvent(new CompositionEvent('compositionend'))
    input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }))
    expect(api.actions, 'the Enter right behind the end of the composition').toEqual([])
    await new Promise((resolve) => setTimeout(resolve))
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions).toHaveLength(1)
  })

  it('edits my last message with the arrow up, only when it is empty', async () => {
    const { input, oneditlast } = setup()
    await fireEvent.input(input, { target: { value: 'x' } })
    await fireEvent.keyDown(input, { key: 'ArrowUp' })
    expect(oneditlast).not.toHaveBeenCalled()
    await fireEvent.input(input, { target: { value: '' } })
    await fireEvent.keyDown(input, { key: 'ArrowUp' })
    expect(oneditlast).toHaveBeenCalledOnce()
  })

  it('sends several lines as they were pasted', async () => {
    const { api, input } = setup()
    const pasted = 'first\n\n  second, indented\nthird'
    await fireEvent.input(input, { target: { value: pasted }, inputType: 'insertFromPaste' })
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions).toEqual([{ type: 'sendMessage', topic: 't', text: pasted, replyTo: null }])
  })

  it('takes 16 KiB, says by how much more is too long, and keeps it', async () => {
    const { api, composer, input } = setup()
    const full = '土'.repeat(5_461)
    await fireEvent.input(input, { target: { value: `${full}a` } })
    expect(screen.getByTestId('composer-bytes').textContent).toContain('16,384 / 16,384')
    await fireEvent.input(input, { target: { value: `${full}abc` } })
    expect(screen.getByTestId('composer-bytes').textContent).toBe(i18n.t.composer.tooLong('2'))
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions, 'nothing is cut off').toEqual([])
    expect(input.value).toBe(`${full}abc`)
    await fireEvent.input(input, { target: { value: `${full}a` } })
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions.map((action) => action.type)).toEqual(['sendMessage'])
    composer.mention('AZig0AAAcACAAAAAAAAAAQ', 'Ann')
    await tick()
    await fireEvent.input(input, { target: { value: `@Ann ${'a'.repeat(16_354)}` } })
    expect(composer.isTooLong, 'a mention is sent as an id').toBe(false)
    await fireEvent.input(input, { target: { value: `@Ann ${'a'.repeat(16_359)}` } })
    expect(composer.isTooLong).toBe(true)
  })

  describe('offers whom an @ may mean', () => {
    const people: Mentionable[] = [
      { id: 'AZig0AAAcACAAAAAAAAAAQ', name: '小明', accountName: 'ming' },
      { id: 'AZig0AAAcACAAAAAAAAAAg', name: '小明', accountName: 'xiaoming' },
    ]

    async function offered() {
      const desk = setup()
      desk.find.mockResolvedValue(people)
      desk.input.focus()
      desk.input.value = '问 @小'
      desk.input.setSelectionRange(4, 4)
      await fireEvent.input(desk.input)
      await screen.findByTestId('mention-list')
      return desk
    }

    it('and sends exactly the one who was picked, though another has the name', async () => {
      const { api, input } = await offered()
      const [first, second] = screen.getAllByRole('option')
      expect(first?.textContent, 'the list tells them apart').toContain('ming')
      expect(second?.textContent).toContain('xiaoming')
      await fireEvent.keyDown(input, { key: 'ArrowDown' })
      await fireEvent.keyDown(input, { key: 'Enter' })
      await waitFor(() => expect(input.value).toBe('问 @小明 '))
      expect(screen.getByTestId('composer-marks').querySelector('mark')?.textContent).toBe('@小明')
      await fireEvent.keyDown(input, { key: 'Enter' })
      await waitFor(() => expect(api.actions).toHaveLength(1))
      expect(api.actions).toMatchObject([{ text: `问 <@${people[1]?.id}>` }])
    })

    it('as a list that a screen reader follows, and Escape leaves the text alone', async () => {
      const { input } = await offered()
      expect(input.getAttribute('role')).toBe('combobox')
      const list = screen.getByRole('listbox')
      expect(input.getAttribute('aria-controls')).toBe(list.id)
      const active = () => document.getElementById(input.getAttribute('aria-activedescendant') ?? '')
      expect(active()?.getAttribute('aria-selected')).toBe('true')
      await fireEvent.keyDown(input, { key: 'ArrowUp' })
      expect(active(), 'around the end').toBe(screen.getAllByRole('option')[1])
      expect(screen.getByText(/2 suggestions/)).toBeTruthy()
      await fireEvent.keyDown(input, { key: 'Escape' })
      expect(screen.queryByRole('listbox')).toBeNull()
      expect(input.value).toBe('问 @小')
    })

    it('and a screen reader hears it when the mention became text', async () => {
      const { input } = await offered()
      await fireEvent.keyDown(input, { key: 'Enter' })
      await waitFor(() => expect(input.value).toBe('问 @小明 '))
      const said = screen.getByTestId('composer-said')
      expect([said.getAttribute('role'), said.textContent]).toEqual(['status', ''])
      input.value = '问 @小 '
      input.setSelectionRange(4, 4)
      await fireEvent.input(input)
      expect(said.textContent).toContain('@小明')
      expect(screen.getByTestId('composer-marks').querySelector('mark')).toBeNull()
      input.value = '问 @小 吗'
      input.setSelectionRange(6, 6)
      await fireEvent.input(input)
      expect(said.textContent, 'once').toBe('')
    })

    it('when its button is pressed, behind a blank where one is needed', async () => {
      const desk = setup()
      desk.find.mockResolvedValue(people)
      await fireEvent.input(desk.input, { target: { value: '问' } })
      desk.input.setSelectionRange(1, 1)
      await fireEvent.click(screen.getByTestId('composer-mention'))
      await screen.findByTestId('mention-list')
      expect(desk.input.value).toBe('问 @')
    })

    it('but takes no key of an input method', async () => {
      const { input } = await offered()
      await fireEvent.compositionStart(input)
      await fireEvent.keyDown(input, { key: 'Enter', isComposing: true })
      expect(input.value).toBe('问 @小')
    })
  })

  it('says why an empty edit is not saved, and offers to recall', async () => {
    const { composer, input, onrecall } = setup()
    composer.startEdit(message('m1', 1, 'helo', { isMine: true, actions: ['edit', 'recall'] }))
    await tick()
    await fireEvent.input(input, { target: { value: ' ' } })
    expect(screen.getByTestId('composer-empty').textContent).toContain('empty')
    await fireEvent.click(screen.getByTestId('composer-recall'))
    expect(onrecall).toHaveBeenCalledWith('m1')
  })

  it('shows both when the message that is edited was changed, and loses neither', async () => {
    const { api, composer, input } = setup()
    const mine = message('m1', 1, 'helo', { isMine: true, actions: ['edit'] })
    const heard = (now: string, isRecalled = false) =>
      composer.hear(
        {
          draft: { text: '', replyTo: null },
          edits: [{ message: 'm1', base: 'helo', text: 'hello', now, isRecalled, canRecall: false }],
          mentioned: [],
        },
        () => mine,
      )
    heard('theirs')
    await tick()
    expect(screen.getByTestId('edit-now').textContent).toBe('theirs')
    expect(input.value).toBe('hello')
    await fireEvent.keyDown(input, { key: 'Enter' })
    expect(api.actions, 'nothing is overwritten silently').toEqual([])
    heard('', true)
    await tick()
    expect(screen.getByTestId('edit-overtaken').textContent).toContain('recalled')
    expect(screen.queryByTestId('edit-insist'), 'there is nothing to change').toBeNull()
    expect(input.value).toBe('hello')
    await fireEvent.click(screen.getByTestId('edit-discard'))
    expect(screen.queryByTestId('edit-overtaken')).toBeNull()
    expect(input.value).toBe('')
  })

  it('gives up a reply with Escape', async () => {
    const { composer, input } = setup()
    composer.startReply(message('m1', 1, ''))
    await fireEvent.keyDown(input, { key: 'Escape' })
    expect(composer.reply).toBeNull()
  })
})

describe('the whole window has nothing that a screen reader would stumble over', () => {
  it.each([
    ['full', fullScene],
    ['offline', offlineScene],
    ['rejected', rejectedScene],
    ['written for topics that are gone', strandedScene],
    ['a history that was set aside', asideScene],
    ['a list of accounts that was set aside', listScene],
    ['an empty community', emptyCommunityScene],
    ['the first start', firstStartScene],
    ['no community', noCommunityScene],
    ['an empty topic', emptyTopicScene],
    ['an edit that was overtaken', editsScene],
    ['names that pose as others', namesScene],
    ['more of everything than most have', crowdedScene],
    ['a history that cannot be opened', (lang: Tongue, theme: 'light' | 'dark') => brokenScene(lang, theme, 'damaged')],
  ] as const)('%s', async (_name, scene) => {
    await ready(scene('en', 'light'))
    expect(await faults()).toEqual([])
  })

  const dialogs: Dialog[] = [
    { kind: 'add' },
    { kind: 'createCommunity' },
    { kind: 'createGroup' },
    { kind: 'createTopic', group: 'g2' },
    { kind: 'invite' },
    { kind: 'settings' },
    { kind: 'switcher' },
    { kind: 'shortcuts' },
    { kind: 'join', link: '' },
    { kind: 'signIn', account: 's1.me' },
    { kind: 'explain', member: { id: 'kes', name: 'Kestrel' }, topic: 't3' },
    { kind: 'admin', page: 'overview' },
    { kind: 'admin', page: 'groups' },
    { kind: 'admin', page: 'access' },
    { kind: 'admin', page: 'members' },
    { kind: 'admin', page: 'invites' },
  ]
  it.each(dialogs.map((dialog) => ['page' in dialog ? `admin ${dialog.page}` : dialog.kind, dialog] as const))(
    'dialog: %s',
    async (_name, dialog) => {
      const window = await ready(fullScene('en', 'light'))
      window.dialogs.show(dialog)
      await waitFor(() => expect(document.querySelector('dialog')).not.toBeNull())
      expect(await faults()).toEqual([])
    },
  )
})

describe('a history in trouble', () => {
  it('has a tile of its own, which says what to do, while the other account goes on', async () => {
    const api = brokenScene('en', 'light', 'tooNew')
    await ready(api)
    await screen.findAllByTestId('message')
    await fireEvent.click(screen.getByRole('button', { name: /history of .* can’t be opened/ }))
    await screen.findByText('This history was written by a newer Tulou')
    expect(screen.getByTestId('store-trouble').textContent).toContain('tulou/accounts/s9.me.sqlite')
    expect(await faults()).toEqual([])
    await fireEvent.click(screen.getByRole('button', { name: 'Try again' }))
    expect(api.calls).toContain('hurry')
    await fireEvent.click(screen.getByTestId('tile-c1'))
    await waitFor(() => expect(screen.queryByTestId('store-trouble')).toBeNull())
  })

  it('says where the damaged file is until the person has taken note', async () => {
    const api = asideScene('en', 'light')
    await ready(api)
    expect(screen.getByTestId('aside-file').textContent).toContain('damaged-2026-11-23T072737Z')
    expect(screen.getByTestId('banner-aside').textContent).toContain(
      'Kept: 2 changes that waited to be sent and 1 draft.',
    )
    await fireEvent.click(screen.getByTestId('aside-seen'))
    expect(api.calls).toContain('forgetAside')
  })

  it.each([
    [0, 1, 'Kept: 1 draft.'],
    [1, 0, 'Kept: 1 change that waited to be sent.'],
    [0, 0, 'Nothing was waiting to be sent.'],
  ])('names what was taken along and no zeros: %i changes, %i drafts', async (commands, drafts, said) => {
    await ready(asideScene('en', 'light', commands, drafts))
    expect(screen.getByTestId('banner-aside').textContent).toContain(said)
  })
})

describe('a list of accounts in trouble', () => {
  it.each([
    ['en', 'was damaged', '2 accounts were found again'],
    ['zh-CN', '已损坏', '找回了 2 个账号'],
  ] as const)('says in %s that it was set aside, where it is, and what was found again', async (lang, what, found) => {
    const api = listScene(lang, 'light')
    await ready(api)
    const banner = screen.getByTestId('banner-list-aside').textContent
    expect(banner).toContain(what)
    expect(banner).toContain(found)
    expect(screen.getByTestId('list-aside-file').textContent).toBe('accounts.json.damaged-2026-11-23T072737Z')
    await fireEvent.click(screen.getByTestId('list-aside-seen'))
    expect(api.calls).toContain('forgetListAside')
  })

  it('says why it is left as it is, and looks again when asked to', async () => {
    const api = listScene('en', 'light', 'noRights')
    await ready(api)
    const banner = screen.getByTestId('banner-list-trouble').textContent
    expect(banner).toContain('may not read or write the list of accounts')
    expect(banner).toContain('tulou/accounts.json')
    await fireEvent.click(screen.getByTestId('list-again'))
    expect(api.calls).toContain('hurry')
  })

  it('is told at the first start, too: no account may have been found', async () => {
    const api = listScene('en', 'light')
    api.app = { ...api.app, accounts: [] }
    await ready(api)
    expect(screen.getByTestId('first-start')).toBeTruthy()
    expect(screen.getByTestId('banner-list-aside')).toBeTruthy()
    expect(await faults()).toEqual([])
  })
})

describe('the members', () => {
  it('have one stop for Tab, and arrows go from one to the next', async () => {
    const window = await ready(fullScene('en', 'light'))
    window.isMembersOverlayOpen = true
    const members = await screen.findAllByTestId('member')
    const stops = (): number[] => members.flatMap((one, at) => (one.tabIndex === 0 ? [at] : []))
    expect(stops()).toEqual([0])
    members[0]?.focus()
    for (const [key, at] of [
      ['ArrowDown', 1],
      ['End', members.length - 1],
      ['ArrowDown', members.length - 1],
      ['ArrowUp', members.length - 2],
      ['Home', 0],
    ] as const) {
      await fireEvent.keyDown(document.activeElement ?? document.body, { key })
      expect(document.activeElement, key).toBe(members[at])
      await waitFor(() => expect(stops(), key).toEqual([at]))
    }
  })
})

describe('what is pinned', () => {
  it('takes the keyboard when it opens, and gives it back at Escape', async () => {
    await ready(fullScene('en', 'light'))
    const open = await screen.findByTestId('open-pins')
    open.focus()
    await fireEvent.click(open)
    const pins = await screen.findByTestId('pins')
    await waitFor(() => expect(pins.contains(document.activeElement), 'the keyboard is in it').toBe(true))
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'Escape' })
    await waitFor(() => expect(screen.queryByTestId('pins')).toBeNull())
    expect(document.activeElement).toBe(open)
  })
})
