// What floats beside something: where it stands, and whose keyboard it gives back.
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { createRawSnippet } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fullScene } from '../../stories/scenes'
import App from '../App.svelte'
import type { WindowState } from '../state/window.svelte'
import Floating from './Floating.svelte'
import { press } from '../testing/hands'

afterEach(cleanup)

async function ready(): Promise<WindowState> {
  const found = await new Promise<WindowState>((resolve) => {
    render(App, { api: fullScene('en', 'light'), onready: resolve })
  })
  await screen.findAllByTestId('message')
  await waitFor(() => expect(found.timeline?.view).toBeTruthy())
  return found
}
const row = (id: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(`[data-message-id=${id}]`)
  if (!found) throw new Error(`no row ${id}`)
  return found
}

const content = createRawSnippet(() => ({ render: () => '<button>within</button>' }))

describe('what floats', () => {
  it('stays where it is when what it stands beside goes', async () => {
    const opener = document.createElement('button')
    document.body.append(opener)
    vi.spyOn(document.documentElement, 'clientWidth', 'get').mockReturnValue(1024)
    vi.spyOn(document.documentElement, 'clientHeight', 'get').mockReturnValue(768)
    // What has left the page has no box, as in every browser.
    const box = (): DOMRect => (opener.isConnected ? new DOMRect(300, 200, 80, 20) : new DOMRect())
    vi.spyOn(opener, 'getBoundingClientRect').mockImplementation(box)
    vi.spyOn(opener, 'getClientRects').mockImplementation(() => (opener.isConnected ? [box()] : []) as never)
    render(Floating, { props: { at: opener, onclose: () => undefined, children: content, testid: 'card' } })
    const card = screen.getByTestId('card')
    await waitFor(() => expect([card.style.left, card.style.top]).toEqual(['300px', '226px']))
    opener.remove()
    card.style.left = ''
    window.dispatchEvent(new Event('resize'))
    await waitFor(() => expect(card.style.left).not.toBe(''))
    expect([card.style.left, card.style.top]).toEqual(['300px', '226px'])
  })

  it('gives the keyboard back to what opened it, also where a press does not take the keyboard along', async () => {
    await ready()
    const input = screen.getByTestId('composer-input')
    const author = within(row('m2')).getByTestId('author')
    const emoji = screen.getByTestId('composer-emoji')
    const bell = screen.getByTestId('topic-level')
    for (const [opener, opened] of [
      [author, 'person'],
      [emoji, 'emoji-picker'],
      [bell, 'menu'],
    ] as const) {
      input.focus()
      await fireEvent.click(opener)
      await screen.findByTestId(opened)
      await press('Escape')
      await waitFor(() => expect(screen.queryByTestId(opened)).toBeNull())
      expect(document.activeElement, opened).toBe(opener)
    }
  })

  it('gives the keyboard to the row when what was pressed in it is gone', async () => {
    await ready()
    await fireEvent.pointerEnter(row('m2'))
    await fireEvent.click(await within(row('m2')).findByTestId('tool-react'))
    await screen.findByTestId('emoji-picker')
    await fireEvent.pointerLeave(row('m2'))
    expect(within(row('m2')).queryByTestId('tool-react'), 'the tools are there for the pointer only').toBeNull()
    await press('Escape')
    await waitFor(() => expect(document.activeElement).toBe(row('m2')))
  })
})

describe('the emoji picker', () => {
  it('is closed by a press outside, and by what opened it', async () => {
    await ready()
    const opener = screen.getByTestId('composer-emoji')
    await fireEvent.click(opener)
    expect(opener.getAttribute('aria-expanded')).toBe('true')
    await fireEvent.pointerDown(await screen.findByTestId('emoji-search'))
    expect(screen.queryByTestId('emoji-picker')).not.toBeNull()
    await fireEvent.pointerDown(screen.getByTestId('composer-input'))
    await waitFor(() => expect(screen.queryByTestId('emoji-picker')).toBeNull())
    await fireEvent.click(opener)
    await screen.findByTestId('emoji-picker')
    await fireEvent.pointerDown(opener)
    await fireEvent.click(opener)
    await waitFor(() => expect(screen.queryByTestId('emoji-picker')).toBeNull())
  })
})

describe('those who are offered', () => {
  it('stand above the composer, over whatever is there, while the keyboard stays in it', async () => {
    await ready()
    const input = screen.getByTestId<HTMLTextAreaElement>('composer-input')
    input.focus()
    input.value = '@'
    input.setSelectionRange(1, 1)
    await fireEvent.input(input)
    const list = await screen.findByTestId('mention-list')
    expect(list.closest('[data-floating]'), 'nothing that holds the composer cuts it off').not.toBeNull()
    expect(document.activeElement).toBe(input)
    expect(input.getAttribute('aria-controls')).toBe(list.id)
    await fireEvent.pointerDown(screen.getByTestId('topic-header'))
    await waitFor(() => expect(screen.queryByTestId('mention-list')).toBeNull())
  })
})
