// The conversation on the screen, with a keyboard and with a screen reader.
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { flushSync, tick } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fullScene } from '../../stories/scenes'
import type { TimelineView } from '../api'
import App from '../App.svelte'
import DayOver from './DayOver.svelte'
import { i18n } from '../i18n.svelte'
import type { TimelineState } from '../state/timeline.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'
import { message } from '../testing/views'
import { press } from '../testing/hands'

const rendered = async (change: (api: StandIn) => void = () => undefined) => {
  const api = fullScene('en', 'light')
  change(api)
  let window: WindowState | undefined
  render(App, { api, onready: (state: WindowState) => (window = state) })
  await screen.findAllByTestId('message')
  await waitFor(() => expect(window?.timeline?.view).toBeTruthy())
  return { api, window: window as WindowState }
}
const row = (id: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(`[data-message-id=${id}]`)
  if (!found) throw new Error(`no row ${id}`)
  return found
}
/** What the open topic is from now on. */
const shown = (api: StandIn, change: (view: TimelineView) => Partial<TimelineView>): void => {
  const view = api.topics.get('t3')
  if (!view) throw new Error('no topic')
  api.topics.set('t3', { ...view, ...change(view) })
  api.tell({ type: 'timeline', account: 's1.me', topic: 't3' })
}

afterEach(cleanup)

describe('a person’s card', () => {
  it.each(['author', 'author-picture'])(
    'opens from the %s, knows what is remembered, then what the server says',
    async (from) => {
      const { api } = await rendered()
      await fireEvent.click(within(row('m1')).getByTestId(from))
      const card = await screen.findByTestId('person')
      expect(api.calls.filter((call) => call.startsWith('personView'))).toEqual([
        'personView fawn',
        'personView fawn asks',
      ])
      await waitFor(() => expect(within(card).getByTestId('person-account').textContent).toContain('@'))
      expect(within(card).getByTestId('person-name').textContent).toContain('Fawn')
      expect(card.contains(document.activeElement), 'the keyboard is on it').toBe(true)
      expect(await faults()).toEqual([])
    },
  )

  it('opens from a mention, with the pointer and by key, and from a quote’s author', async () => {
    const { api } = await rendered()
    const mention = row('m5').querySelector('[data-account]') as HTMLElement
    mention.focus()
    await fireEvent.click(mention)
    await screen.findByTestId('person')
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('person')).toBeNull())
    expect(document.activeElement, 'the keyboard is where it was').toBe(mention)
    await press('Enter')
    await screen.findByTestId('person')
    await press('Escape')
    await fireEvent.click(within(row('m2')).getByTestId('reply-author'))
    await waitFor(() => expect(api.calls.at(-1)).toBe('personView fawn asks'))
  })

  it('mentions, copies and explains, and leaves when something else is clicked', async () => {
    const { window } = await rendered()
    await fireEvent.click(within(row('m2')).getByTestId('author'))
    await fireEvent.click(await screen.findByTestId('person-mention'))
    expect(screen.queryByTestId('person')).toBeNull()
    expect(window.composer?.text).toContain('@Kestrel')
    await fireEvent.click(within(row('m2')).getByTestId('author'))
    await fireEvent.click(await screen.findByTestId('person-why'))
    await waitFor(() => expect(window.dialogs.open.map((one) => one.dialog.kind)).toEqual(['explain']))
    window.dialogs.closeAll()
    await fireEvent.click(within(row('m2')).getByTestId('author'))
    await screen.findByTestId('person')
    await fireEvent.pointerDown(screen.getByTestId('composer-input'))
    await waitFor(() => expect(screen.queryByTestId('person')).toBeNull())
  })

  it('has a menu with what one may do with him, and gives the keyboard back', async () => {
    await rendered()
    const author = within(row('m2')).getByTestId('author')
    await fireEvent.click(author)
    await fireEvent.click(await screen.findByTestId('person-more'))
    const menu = await screen.findByTestId('menu')
    expect(menu.textContent).toContain('Copy account name')
    expect(menu.textContent).toContain('Remove from community')
    await press('Escape')
    await waitFor(() => expect(document.activeElement).toBe(author))
  })

  it('of a deleted account has neither name nor actions', async () => {
    await rendered((api) =>
      api.people.set('kes', { name: '', accountName: '', member: null, memberGroups: [], rights: [] }),
    )
    await fireEvent.click(within(row('m2')).getByTestId('author'))
    await waitFor(() => expect(screen.getByTestId('person-name').textContent).toBe(i18n.t.security.deletedName))
    expect(screen.queryByTestId('person-copy')).toBeNull()
  })
})

describe('what is beside a person’s card', () => {
  it('may go: the card stays where it is, hears that he left, and gives the keyboard to the rows', async () => {
    const { api } = await rendered()
    await fireEvent.click(within(row('m2')).getByTestId('author'))
    const card = await screen.findByTestId('person')
    await waitFor(() => expect(within(card).queryByTestId('person-mention')).not.toBeNull())
    shown(api, (view) => ({
      rows: view.rows.map((one) =>
        one.id === 'm2' ? { ...one, reactions: [], blocks: [], recalled: { by: 'Kestrel', isByAuthor: true } } : one,
      ),
    }))
    await waitFor(() => expect(within(row('m2')).queryByTestId('author')).toBeNull())
    api.people.set('kes', { member: null, memberGroups: [], joinedAt: null, rights: [] })
    api.tell({ type: 'members', account: 's1.me', community: 'c1' })
    await waitFor(() => expect(card.textContent).toContain(i18n.t.person.noMember))
    expect(within(card).queryByTestId('person-mention'), 'who is no member cannot be called').toBeNull()
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('person')).toBeNull())
    await waitFor(() => expect(document.activeElement).not.toBe(document.body))
  })

  it('is a row of the member list as well, and its menu stays with the other key', async () => {
    // The page has no width here: the list is shown over it, as in a narrow window.
    const { api, window } = await rendered()
    window.isMembersOverlayOpen = true
    const member = (await screen.findAllByTestId('member')).find((one) => one.dataset.memberId === 'kes')
    if (!member) throw new Error('Kestrel is not listed')
    expect(member.getAttribute('aria-haspopup')).toBe('dialog')
    member.focus()
    await fireEvent.click(member)
    await screen.findByTestId('person')
    expect(api.calls).toContain('personView kes asks')
    await press('Escape')
    await waitFor(() => expect(document.activeElement).toBe(member))
    await fireEvent.contextMenu(member)
    await screen.findByTestId('menu')
    expect(screen.queryByTestId('person')).toBeNull()
  })
})

describe('a row', () => {
  it('is called by author and time, described by its text, and placed in the feed', async () => {
    await rendered()
    const feed = screen.getByTestId('timeline')
    expect(feed.getAttribute('role'), 'a log would read history out while it is scrolled').toBe('feed')
    const shown = row('m3')
    expect(shown.getAttribute('aria-label')).toMatch(/^Kestrel, .*20:16$/)
    const described = (shown.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id))
    expect(described[0]?.textContent.trim()).toBe('When do we meet?')
    expect([shown.getAttribute('aria-posinset'), shown.getAttribute('aria-setsize')]).toEqual(['3', '8'])
    expect(row('m1').getAttribute('aria-label'), 'the day is heard where it begins').toContain('November')
  })

  it('has stops for Tab only while it has the keyboard', async () => {
    await rendered()
    const stops = (): (string | undefined)[] =>
      [...screen.getByTestId('timeline').querySelectorAll<HTMLElement>('a[href], button, [tabindex]')]
        .filter((one) => one.tabIndex >= 0)
        .map((one) => one.closest<HTMLElement>('[data-message-id]')?.dataset.messageId)
    row('m1').focus()
    await waitFor(() => expect(new Set(stops())).toEqual(new Set(['m1'])))
    await press('ArrowDown')
    await waitFor(() => expect(new Set(stops())).toEqual(new Set(['m2'])))
    expect(stops().length, 'author, quote’s author, quote').toBeGreaterThanOrEqual(4)
  })

  it('opens its menu at Enter, and the card from it', async () => {
    await rendered()
    row('m2').focus()
    await press('Enter')
    const menu = await screen.findByTestId('menu')
    await fireEvent.click(within(menu).getByText(i18n.t.timeline.person('Kestrel')))
    await screen.findByTestId('person')
    await press('Escape')
    expect(document.activeElement).toBe(row('m2'))
  })

  it('that waits says so in a colour that can be read, also where it continues the one above', async () => {
    const { api } = await rendered()
    const me = { id: 'me', name: 'Solstice', tag: null }
    const mine = (id: string, minute: number) =>
      message(id, null, id, {
        author: me,
        isMine: true,
        sentAt: new Date(2026, 10, 22, 20, minute).getTime(),
        delivery: { state: 'sending' },
      })
    shown(api, () => ({ pending: [mine('p1', 50), mine('p2', 51)] }))
    await waitFor(() => row('p2'))
    expect(row('p2').classList.contains('tight')).toBe(true)
    expect(row('p2').querySelector('.side svg'), 'a clock in the side column').not.toBeNull()
    for (const id of ['p1', 'p2']) expect(row(id).textContent).toContain(i18n.t.timeline.sending)
    expect(row('p2').getAttribute('aria-posinset')).toBe('9')
  })

  it('bears the marks of pin and wrong clock wherever it stands, and says the clock to the keyboard', async () => {
    const { api } = await rendered()
    shown(api, (view) => ({
      rows: view.rows.map((one) =>
        one.id === 'm3' ? { ...one, isPinned: true, writtenAt: one.sentAt + 7_200_000 } : one,
      ),
    }))
    const mark = await waitFor(() => within(row('m3')).getByTestId('clock-mark'))
    expect(row('m3').classList.contains('tight')).toBe(true)
    within(row('m3')).getByTestId('pinned-mark')
    await fireEvent.click(mark)
    expect(within(row('m3')).getByTestId('clock-said').textContent).toContain('22:16')
    expect(await faults()).toEqual([])
  })

  it('that goes gives the keyboard to the next one, and never to nobody', async () => {
    const { api } = await rendered()
    row('m3').focus()
    shown(api, (view) => ({ rows: view.rows.filter((one) => one.id !== 'm3') }))
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.messageId).toBe('m4'))
    const within7 = within(row('m7')).getByTestId('reaction')
    within7.focus()
    shown(api, (view) => ({
      rows: view.rows.map((one) =>
        one.id === 'm7' ? { ...one, reactions: [], blocks: [], recalled: { by: 'Kestrel', isByAuthor: true } } : one,
      ),
    }))
    await waitFor(() => expect(document.activeElement).toBe(row('m7')))
  })

  it('that is let go with those around it gives the keyboard to the nearest one that is left', async () => {
    const { api } = await rendered()
    row('m2').focus()
    const gone = ['m1', 'm2', 'm3', 'm4']
    const late = Array.from({ length: 40 }, (_, n) => message(`late${n}`, 100 + n, `late ${n}`))
    shown(api, (view) => ({ rows: [...view.rows.filter((one) => !gone.includes(one.id)), ...late] }))
    await waitFor(() => expect((document.activeElement as HTMLElement).dataset.messageId).toBe('m5'))
  })

  it('is heard when it comes', async () => {
    const { api } = await rendered()
    const heard = screen.getByTestId('heard')
    expect(heard.textContent.trim(), 'nothing of what was there').toBe('')
    shown(api, (view) => ({
      rows: [...view.rows, message('m99', 99, 'who is there?', { author: { id: 'kes', name: 'Kestrel', tag: null } })],
    }))
    await waitFor(() => expect(heard.textContent.trim()).toBe('Kestrel: who is there?'))
  })
})

describe('a selection', () => {
  it('keeps where it begins and ends in the page while rows arrive, and lets go when it is gone', async () => {
    const { api, window } = await rendered()
    const trims = vi.spyOn(window.timeline as TimelineState, 'trimAbove')
    const [from, to] = [row('m2').querySelector('.text'), row('m3').querySelector('.text')]
    if (!from || !to) throw new Error('no text')
    getSelection()?.setBaseAndExtent(from, 0, to, to.childNodes.length)
    document.dispatchEvent(new Event('selectionchange'))
    await tick()
    trims.mockClear()
    const said = getSelection()?.toString()
    const late = (n: number) =>
      message(`late${n}`, 100 + n, `late ${n}`, { author: { id: 'kes', name: 'Kestrel', tag: null } })
    shown(api, (view) => ({ rows: [...view.rows, ...Array.from({ length: 200 }, (_, n) => late(n))], head: 299 }))
    await waitFor(() => expect(window.timeline?.view?.rows.length).toBeGreaterThan(200))
    await tick()
    expect(from.isConnected && to.isConnected, 'the rows at its ends are still those').toBe(true)
    expect(getSelection()?.toString()).toBe(said)
    expect(trims, 'nothing is let go under it').not.toHaveBeenCalled()
    expect(screen.getByTestId('heard').textContent.trim(), 'two hundred are one sentence').toBe(
      i18n.t.timeline.news(i18n.number(200)),
    )
    getSelection()?.removeAllRanges()
    document.dispatchEvent(new Event('selectionchange'))
    shown(api, (view) => ({ rows: [...view.rows, late(200)], head: 300 }))
    await waitFor(() => expect(trims).toHaveBeenCalled())
  })
})

describe('Ctrl+A in the rows', () => {
  it('takes the rows and nothing around them, and what is copied reads well', async () => {
    await rendered()
    row('m3').focus()
    await press('a', { ctrlKey: true })
    await waitFor(() => expect(getSelection()?.isCollapsed).toBe(false))
    const given = new Map<string, string>()
    const event = new Event('copy', { bubbles: true, cancelable: true })
    Object.assign(event, { clipboardData: { setData: (type: string, text: string) => given.set(type, text) } })
    row('m3').dispatchEvent(event)
    const text = given.get('text/plain') ?? ''
    expect(text).toContain('Kestrel – 20:15\n')
    expect(text).toContain('\nWhen do we meet?')
    expect(text).not.toContain('edited')
    expect(event.defaultPrevented).toBe(true)
  })

  it.each([
    ['Russian', 'ф'],
    ['Zhuyin', 'ㄇ'],
  ])('is the same key on a %s keyboard', async (_, key) => {
    await rendered()
    row('m3').focus()
    await press(key, { code: 'KeyA', ctrlKey: true })
    await waitFor(() => expect(getSelection()?.isCollapsed).toBe(false))
  })
})

describe('“Mark all as read” over the rows', () => {
  it('says what it did, can be taken back, and ends what was held as unread', async () => {
    const { api, window } = await rendered((api) => {
      const tree = api.trees.get('c1')
      const groups = (tree?.groups ?? []).map((group) => ({
        ...group,
        topics: group.topics.map((one) =>
          one.id === 't3' ? { ...one, badge: { unread: 9, mentions: 0, hasDot: true } } : one,
        ),
      }))
      if (tree) api.trees.set('c1', { ...tree, groups })
    })
    await press('u', { code: 'KeyU', altKey: true })
    await waitFor(() => expect(window.timeline?.reading.isHeld).toBe(true))
    vi.spyOn(Element.prototype, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, 300, 30))
    shown(api, (view) => ({
      rows: view.rows.map((one) => ({ ...one, seq: (one.seq ?? 0) + 100 })),
      hasBefore: true,
      unread: 9,
      readTo: 1,
    }))
    const mark = await screen.findByTestId('mark-read')
    mark.focus()
    await fireEvent.click(mark)
    await waitFor(() => expect(document.activeElement?.hasAttribute('data-message-id')).toBe(true))
    await waitFor(() => expect(api.calls).toContain('markRead topic'))
    expect(window.timeline?.reading.isHeld, 'what is seen counts again').toBe(false)
    const undo = await screen.findByTestId('toast-action')
    expect(undo.closest('[data-testid=toast]')?.textContent ?? document.body.textContent).toContain('one topic')
    await fireEvent.click(undo)
    await waitFor(() => expect(api.calls.some((call) => call.startsWith('setRead'))).toBe(true))
    expect(window.timeline?.reading.isHeld, 'as it was').toBe(true)
    vi.restoreAllMocks()
  })
})

describe('the head of a topic', () => {
  it('shows the level and sets it', async () => {
    const { api } = await rendered()
    const bell = await screen.findByTestId('topic-level')
    expect(bell.getAttribute('aria-label')).toContain(i18n.t.levels.names.all)
    await fireEvent.click(bell)
    const menu = await screen.findByTestId('menu')
    await fireEvent.click(within(menu).getByText(i18n.t.levels.names.nothing))
    expect(api.actions.at(-1)).toMatchObject({ type: 'setLevel', level: 'nothing' })
  })

  it('takes pins down from their list, for those who may', async () => {
    const { api } = await rendered()
    await fireEvent.click(await screen.findByTestId('open-pins'))
    const unpin = await screen.findByTestId('unpin')
    await fireEvent.keyDown(unpin, { key: 'Backspace', repeat: true })
    expect(api.actions.at(-1)?.type, 'held down').not.toBe('pin')
    await fireEvent.keyDown(unpin, { key: 'Backspace' })
    expect(api.actions.at(-1), 'the key for it on a portable Mac').toMatchObject({
      type: 'pin',
      topic: 't3',
      on: false,
    })
    api.actions.length = 0
    await fireEvent.click(unpin)
    expect(api.actions.at(-1)).toMatchObject({ type: 'pin', topic: 't3', on: false })
    shown(api, (view) => ({ pins: view.pins.slice(1) }))
    await waitFor(() => expect(screen.getByTestId('pins').contains(document.activeElement)).toBe(true))
    shown(api, (view) => ({ permissions: view.permissions.filter((one) => one !== 'pin') }))
    await waitFor(() => expect(screen.queryByTestId('unpin')).toBeNull())
  })
})

describe('the day over the rows', () => {
  it('is said while they move and goes when they rest, and never where it need not be', async () => {
    vi.useFakeTimers()
    try {
      const { component } = render(DayOver)
      const said = () => screen.queryByTestId('day-over')?.textContent ?? null
      const day = new Date(2026, 10, 22).getTime()
      const move = (px: number, under: number | null) => {
        component.moved(px, under)
        flushSync()
      }
      move(100, day)
      expect(said(), 'being placed is no move').toBeNull()
      move(400, day)
      expect(said()).toBe(i18n.day(day))
      vi.advanceTimersByTime(1_000)
      move(800, day - 86_400_000)
      vi.advanceTimersByTime(1_000)
      flushSync()
      expect(said(), 'it counts from the last move').toBe(i18n.day(day - 86_400_000))
      vi.advanceTimersByTime(1_000)
      flushSync()
      expect(said()).toBeNull()
      move(1_200, day)
      move(1_300, null)
      expect(said(), 'at the newest rows').toBeNull()
    } finally {
      vi.useRealTimers()
    }
  })
})
