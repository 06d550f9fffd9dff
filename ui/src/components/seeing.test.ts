// What counts as read in the whole window: who looks, and what lies over it. Rows have no size here: all are on the screen.
import { cleanup, render, screen, waitFor } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fullScene } from '../../stories/scenes'
import App from '../App.svelte'
import type { WindowState } from '../state/window.svelte'
import type { StandIn } from '../testing/stand-in'

afterEach(() => {
  cleanup()
  vi.restoreAllMocks()
})

/** The window with an unread topic, behind other windows. */
async function behind(): Promise<{ api: StandIn; state: WindowState; focus: (is: boolean) => Promise<void> }> {
  const hasFocus = vi.spyOn(document, 'hasFocus').mockReturnValue(false)
  const api = fullScene('en', 'light')
  let state: WindowState | undefined
  render(App, { api, onready: (ready: WindowState) => (state = ready) })
  await waitFor(() => expect(screen.getAllByTestId('message').length).toBeGreaterThan(3), { timeout: 5_000 })
  await settle()
  const focus = async (is: boolean): Promise<void> => {
    hasFocus.mockReturnValue(is)
    window.dispatchEvent(new Event(is ? 'focus' : 'blur'))
    await settle()
  }
  if (!state) throw new Error('it is ready')
  return { api, state, focus }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) {
    await tick()
    await new Promise((resolve) => setTimeout(resolve))
  }
}

const advances = (api: StandIn) => api.actions.filter((action) => action.type === 'advance')

describe('a message is not read', () => {
  it('while the window is behind others; who comes back has the divider put right first', async () => {
    const { api, focus } = await behind()
    expect(advances(api)).toEqual([])
    const submitted = vi.spyOn(api, 'submit')
    const cameBack = vi.spyOn(api, 'comeBack')
    await focus(true)
    expect(advances(api)).toHaveLength(1)
    expect(cameBack).toHaveBeenCalledOnce()
    const [first] = submitted.mock.invocationCallOrder
    expect(cameBack.mock.invocationCallOrder[0], 'the other way around nothing would be unread').toBeLessThan(
      first ?? 0,
    )
  })

  it('behind a dialog', async () => {
    const { api, state, focus } = await behind()
    state.dialogs.show({ kind: 'shortcuts' })
    await focus(true)
    expect(advances(api)).toEqual([])
    state.dialogs.closeAll()
    await settle()
    expect(advances(api)).toHaveLength(1)
  })

  it('under the members, where they lie over the ends of its lines', async () => {
    const { api, state, focus } = await behind()
    expect(innerWidth, 'a narrow window').toBeLessThan(1100)
    state.isMembersOverlayOpen = true
    await focus(true)
    expect(advances(api)).toEqual([])
    state.isMembersOverlayOpen = false
    await settle()
    expect(advances(api)).toHaveLength(1)
  })
})

describe('rows that move', () => {
  it('are measured once for each move, however many there are', async () => {
    await behind()
    const rows = screen.getAllByTestId('message')
    const list = screen.getByTestId('timeline')
    const isRow = (element: Element): boolean => list.contains(element) && element !== list
    let measured = 0
    const box = new DOMRect()
    vi.spyOn(Element.prototype, 'getBoundingClientRect').mockImplementation(function (this: Element) {
      if (isRow(this)) measured += 1
      return box
    })
    list.dispatchEvent(new Event('scroll'))
    expect(measured).toBeGreaterThan(0)
    expect(measured, 'a frame has room for a few of them, not for a square').toBeLessThanOrEqual(rows.length + 2)
  })
})
