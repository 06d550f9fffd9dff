// What a person does in a window under test.
import { fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import App from '../App.svelte'
import type { WindowState } from '../state/window.svelte'
import type { StandIn } from './stand-in'

/** The whole window, as soon as it knows of its accounts. */
export async function started(api: StandIn): Promise<WindowState> {
  let window: WindowState | undefined
  render(App, { api, onready: (state: WindowState) => (window = state) })
  await waitFor(() => {
    if (!window) throw new Error('it is not ready')
  })
  return window as WindowState
}

/** The whole window with the messages of its topic. */
export async function opened(api: StandIn): Promise<WindowState> {
  const window = await started(api)
  await screen.findAllByTestId('message')
  return window
}

export const click = (testid: string): Promise<unknown> => fireEvent.click(screen.getByTestId(testid))

/** Replaces what stands in a field. */
export const fill = (testid: string, value: string): Promise<unknown> =>
  fireEvent.input(screen.getByTestId(testid), { target: { value } })

/** A key, on what has the keyboard. */
export const press = (key: string, more: object = {}): Promise<unknown> =>
  fireEvent.keyDown(document.activeElement ?? document.body, { key, ...more })

/** What was asked of the program, but for what was seen. */
export const sent = (api: StandIn): StandIn['actions'] => api.actions.filter((action) => action.type !== 'advance')
