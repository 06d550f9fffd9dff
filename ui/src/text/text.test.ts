import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Block, Inline, LinkView } from '../api'
import LinkDialog from '../dialogs/LinkDialog.svelte'
import { i18n } from '../i18n.svelte'
import { followLink } from '../state/links'
import { Unfolded } from '../state/unfolded.svelte'
import { faults } from '../testing/faults'
import { message, paragraph } from '../testing/views'
import Blocks from './Blocks.svelte'
import MessageText from './MessageText.svelte'
import Stage from './Stage.test.svelte'
import type { TextActions } from './context'

afterEach(cleanup)
beforeEach(() => (i18n.locale = 'en'))

const text = (text: string): Inline => ({ type: 'text', text })
const line = (...inlines: Inline[]): Block => ({ type: 'paragraph', lang: null, inlines })
const show = (blocks: Block[]) => render(Blocks, { blocks }).container
const link = (more: Partial<LinkView> = {}): LinkView => ({
  href: 'https://evil.example/login',
  kind: 'web',
  place: 'evil.example',
  isNamed: false,
  doubts: [],
  ...more,
})

describe('a text', () => {
  it('is never taken for markup', () => {
    const box = show([line(text('<img src=x onerror=alert(1)>'))])
    expect(box.querySelector('img')).toBeNull()
    expect(box.textContent).toBe('<img src=x onerror=alert(1)>')
  })

  it('has its elements', () => {
    const box = show([
      line(
        { type: 'bold', inlines: [{ type: 'italic', inlines: [text('both')] }] },
        text('\n'),
        { type: 'strike', inlines: [text('gone')] },
        { type: 'mention', account: '1', name: 'Ann', isMe: false },
      ),
      { type: 'quote', blocks: [{ type: 'rule' }] },
      { type: 'code', language: 'rust', inlines: [text('fn main() {}'), { type: 'name', name: 'Bob' }] },
      {
        type: 'table',
        rows: [
          [[text('a')], [], [text('b')]],
          [[text('c')], [text('d')]],
        ],
      },
      { type: 'gap', lines: 3 },
    ])
    expect(box.querySelector('strong em')?.textContent).toBe('both')
    for (const cell of box.querySelectorAll('th, td')) expect(cell.getAttribute('dir')).toBe('auto')
    expect(box.querySelector('s')?.textContent).toBe('gone')
    expect(box.querySelector('blockquote hr')).not.toBeNull()
    expect(box.querySelector('pre')?.textContent, 'in code a name is shown, and no id').toBe('fn main() {}@Bob')
    expect(box.querySelector('p')?.textContent).toContain('\n')
    expect(box.textContent).toContain('@Ann')
    expect(screen.queryByRole('group', { name: i18n.t.text.table })).not.toBeNull()
    expect(box.querySelectorAll('th'), 'every cell of a table is shown').toHaveLength(3)
    expect(box.querySelectorAll('td')).toHaveLength(3)
  })

  it('adds no space between its parts', () => {
    const box = show([
      line(text('缺'), { type: 'bold', inlines: [text('一')] }, { type: 'code', inlines: [text('个')] }, text('奶妈')),
    ])
    expect(box.textContent).toBe('缺一个奶妈')
  })

  it('keeps the numbers that were typed', () => {
    const item = (mark: string, value: number) => ({ mark, value, blocks: [paragraph('x')] })
    const box = show([{ type: 'list', isNumbered: true, items: [item('3.', 3), item('7.', 7), item('007)', 7)] }])
    const items = [...box.querySelectorAll('ol > li')] as HTMLLIElement[]
    expect(items.map((item) => item.value)).toEqual([3, 7, 7])
    expect(items.map((item) => item.style.listStyleType)).toEqual(['"3. "', '"7. "', '"007) "'])
  })

  it('says the language of a paragraph', () => {
    const box = show([
      { type: 'paragraph', lang: 'en', inlines: [text('don’t')] },
      { type: 'paragraph', lang: null, inlines: [text('1 + 1')] },
    ])
    expect([...box.querySelectorAll('p')].map((p) => p.getAttribute('lang'))).toEqual(['en', null])
  })

  it('hides and shows a spoiler, and the keyboard stays on it', async () => {
    const box = show([line({ type: 'spoiler', inlines: [text('the end')] })])
    const spoiler = screen.getByRole('button', { name: i18n.t.text.showHidden })
    expect(spoiler.querySelector('[inert]'), 'nothing of it is read').not.toBeNull()
    spoiler.focus()
    await fireEvent.keyDown(spoiler, { key: 'Enter' })
    expect(box.querySelector('[inert]')).toBeNull()
    expect(document.activeElement, 'focus never falls to the page').toBe(spoiler)
    expect(await faults()).toEqual([])
    await fireEvent.keyDown(spoiler, { key: ' ' })
    expect(screen.getByRole('button', { name: i18n.t.text.showHidden })).toBe(document.activeElement)
    await fireEvent.click(spoiler)
    expect(box.querySelector('[inert]')).toBeNull()
  })

  it('has a button for its code that can be reached', async () => {
    show([{ type: 'code', language: '', inlines: [text('a')] }])
    expect(screen.getByRole('button', { name: i18n.t.text.copyCode })).not.toBeNull()
    expect(await faults()).toEqual([])
  })
})

describe('a link', () => {
  const actions = (): TextActions => ({
    openLink: vi.fn(),
    unfolded: new Unfolded(() => Promise.resolve([])),
  })

  it('with a text of its own says where it leads', () => {
    render(Stage, {
      actions: actions(),
      blocks: [line({ type: 'link', target: link({ isNamed: true }), inlines: [text('here')] })],
    })
    expect(screen.queryByRole('link', { name: 'here evil.example' })).not.toBeNull()
    cleanup()
    const invite = link({ kind: 'invite', href: 'tulou://join/abc', place: '', isNamed: true })
    render(Stage, { actions: actions(), blocks: [line({ type: 'link', target: invite, inlines: [text('here')] })] })
    expect(screen.queryByRole('link', { name: `here ${i18n.t.text.invite}` })).not.toBeNull()
  })

  it('that shows its address says it once', () => {
    const honest = link({ href: 'https://x.example/', place: 'x.example' })
    render(Stage, {
      actions: actions(),
      blocks: [line({ type: 'link', target: honest, inlines: [text('https://x.example/')] })],
    })
    expect(screen.queryByRole('link', { name: 'https://x.example/' })).not.toBeNull()
  })

  it('opens at once when it is honest, and shows its real host before when it may not be', async () => {
    const dialogs = { show: vi.fn() }
    const openLink = vi.fn(() => Promise.resolve(null))
    const window = { dialogs, api: { openLink }, run: (what: Promise<unknown>) => what }
    const follow = (target: LinkView) => followLink(window as never, target)
    follow(link())
    expect(openLink).toHaveBeenCalledWith('https://evil.example/login')
    expect(dialogs.show).not.toHaveBeenCalled()
    openLink.mockClear()
    const doubtful = link({ doubts: ['otherText'] })
    follow(doubtful)
    expect(openLink, 'nothing is opened, nothing fetched').not.toHaveBeenCalled()
    expect(dialogs.show).toHaveBeenCalledWith(expect.objectContaining({ kind: 'link', target: doubtful }))
    follow(link({ kind: 'invite', href: 'tulou://join/abc', place: '' }))
    expect(dialogs.show).toHaveBeenLastCalledWith({ kind: 'join', link: 'tulou://join/abc' })
  })

  it('is asked about with its host and the reason, cancelled by the first key', async () => {
    const open = vi.fn()
    const onclose = vi.fn()
    const target = link({ doubts: ['otherText', 'userInfo', 'lookalike', 'hidden'] })
    render(LinkDialog, { props: { target, open, onclose } })
    expect(screen.getByTestId('link-real').textContent).toBe('evil.example')
    const cancel = screen.getByTestId('link-cancel')
    expect(document.activeElement).toBe(cancel)
    const described = { name: i18n.t.cancel, description: /evil\.example.*says something different/ }
    expect(screen.queryByRole('button', described), 'a screen reader says where it leads').toBe(cancel)
    expect(await faults()).toEqual([])
    await fireEvent.click(cancel)
    expect(open).not.toHaveBeenCalled()
    await fireEvent.click(screen.getByTestId('link-open'))
    expect(open).toHaveBeenCalledOnce()
  })
})

describe('a long message', () => {
  const long = message('m1', 1, 'beginning and end', { isFolded: true, blocks: [paragraph('beginning')] })

  it('is folded until it is asked for, and remembers that while its row is away', async () => {
    const unfolded = new Unfolded((text) => Promise.resolve([paragraph(text)]))
    const actions = { openLink: vi.fn(), unfolded }
    const first = render(Stage, { actions, message: long })
    expect(first.container.textContent).toContain('beginning')
    expect(first.container.textContent).not.toContain('end')
    const button = screen.getByTestId('fold')
    expect(button.getAttribute('aria-expanded')).toBe('false')
    button.focus()
    await fireEvent.click(button)
    await tick()
    expect(first.container.textContent).toContain('beginning and end')
    expect(screen.getByTestId('fold'), 'the keyboard stays on the button').toBe(document.activeElement)
    first.unmount()
    const again = render(Stage, { actions, message: long })
    expect(again.container.textContent).toContain('beginning and end')
    await again.rerender({ message: { ...long, text: 'beginning and another' } })
    await vi.waitFor(() => expect(again.container.textContent).toContain('another'))
    await fireEvent.click(screen.getByTestId('fold'))
    expect(again.container.textContent).not.toContain('another')
  })

  it('has no button when it is short', () => {
    render(MessageText, { message: message('m2', 2, 'short') })
    expect(screen.queryByTestId('fold')).toBeNull()
  })
})

describe('an excerpt', () => {
  it('says everyone in the words of the window', () => {
    i18n.locale = 'zh-CN'
    expect(i18n.excerpt('<@everyone> 开会')).toBe('@所有人 开会')
  })
})
