// What is pressed over the rows leads somewhere: who pressed it by key goes along, who used the pointer stays where he is.
import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { fullScene } from '../../stories/scenes'
import type { TimelineView } from '../api'
import App from '../App.svelte'
import type { WindowState } from '../state/window.svelte'
import type { StandIn } from '../testing/stand-in'

vi.setConfig({ testTimeout: 60_000 })

describe('a jump', () => {
  let api: StandIn
  let window: WindowState
  const shown = (change: (view: TimelineView) => Partial<TimelineView>): void => {
    const view = api.topics.get('t3')
    if (!view) throw new Error('no topic')
    api.topics.set('t3', { ...view, ...change(view) })
    api.tell({ type: 'timeline', account: 's1.me', topic: 't3' })
  }
  const row = (id: string): HTMLElement | null => document.querySelector(`[data-message-id="${CSS.escape(id)}"]`)
  const focused = () => document.activeElement?.getAttribute('data-message-id') ?? document.activeElement?.tagName
  const lastOf = () => window.timeline?.items.at(-1)?.key
  /** As a mouse presses: first the button gets the keyboard, unless it is kept from it. */
  const press = async (button: HTMLElement): Promise<void> => {
    if (await fireEvent.mouseDown(button)) button.focus()
    await fireEvent.click(button, { detail: 1 })
  }

  beforeEach(async () => {
    api = fullScene('en', 'light')
    render(App, { api, onready: (state: WindowState) => (window = state) })
    await screen.findAllByTestId('message')
    await waitFor(() => expect(window.timeline?.view).toBeTruthy())
    // Rows far up are in view.
    vi.spyOn(Element.prototype, 'scrollHeight', 'get').mockReturnValue(9_000)
    vi.spyOn(Element.prototype, 'getBoundingClientRect').mockReturnValue(new DOMRect(0, 0, 300, 30))
  })
  afterEach(() => {
    cleanup()
    vi.restoreAllMocks()
  })

  it('to the newest takes the keyboard along from an early row', async () => {
    shown(() => ({ hasAfter: true }))
    await waitFor(() => expect(window.timeline?.view?.hasAfter).toBe(true))
    const button = await screen.findByTestId('jump-newest')
    row('m1')?.focus()
    button.focus()
    shown(() => ({ hasAfter: false }))
    await fireEvent.click(button)
    await waitFor(() => expect(focused()).toBe(lastOf()))
  })

  it('to the newest that waits for rows takes it along when they are here', async () => {
    shown(() => ({ hasAfter: true }))
    await waitFor(() => expect(window.timeline?.view?.hasAfter).toBe(true))
    const button = await screen.findByTestId('jump-newest')
    button.focus()
    const view = window.timeline?.view
    const waiting = vi
      .spyOn(api, 'timelineView')
      .mockResolvedValue({ ...view, rows: [], isLoading: true } as unknown as TimelineView)
    await fireEvent.click(button)
    await waitFor(() => expect(window.timeline?.isJumping).toBe(true))
    row('m1')?.focus()
    waiting.mockRestore()
    shown(() => ({ hasAfter: false }))
    await waitFor(() => expect(focused()).toBe(lastOf()))
  })

  it('to a mention takes it to the mention', async () => {
    shown(() => ({ newMentions: ['m2'] }))
    vi.spyOn(Element.prototype, 'getBoundingClientRect').mockReturnValue(new DOMRect())
    const button = await screen.findByTestId('jump-mention')
    button.focus()
    await fireEvent.click(button)
    await waitFor(() => expect(focused()).toBe('m2'))
  })

  it('by the pointer leaves the keyboard where one writes, and so does marking as read', async () => {
    shown((view) => ({
      rows: view.rows.map((one) => ({ ...one, seq: (one.seq ?? 0) + 100 })),
      hasBefore: true,
      hasAfter: true,
      unread: 9,
      readTo: 1,
    }))
    const input = screen.getByTestId('composer-input')
    for (const id of ['jump-unread', 'mark-read', 'jump-newest']) {
      const button = await screen.findByTestId(id)
      input.focus()
      await press(button)
      await new Promise((resolve) => setTimeout(resolve))
      expect(document.activeElement, id).toBe(input)
    }
  })
})
