import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { afterEach, expect, it } from 'vitest'
import { fullScene } from '../../../stories/scenes'
import { press, started } from '../../testing/hands'

afterEach(cleanup)

it('a cell of the table of rights has a tip for the pointer, and none while the keyboard is used', async () => {
  const window = await started(fullScene('en', 'light'))
  await waitFor(() => expect(window.tree?.view).toBeTruthy())
  window.dialogs.show({ kind: 'admin', page: 'access' })
  const table = await screen.findByTestId('access-table')
  await waitFor(() => expect(table.querySelector('[data-cell="2:0"]')).not.toBeNull())
  const tips = (): number => table.querySelectorAll('[data-cell] [title]').length
  expect(tips()).toBeGreaterThan(0)
  table.querySelector<HTMLElement>('[data-cell="2:0"]')?.focus()
  await press('ArrowDown')
  await waitFor(() => expect(tips(), 'it would lie over the next lines').toBe(0))
  await fireEvent.pointerMove(table)
  expect(tips()).toBeGreaterThan(0)
})
