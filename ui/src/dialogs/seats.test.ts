import { cleanup, screen, waitFor } from '@testing-library/svelte'
import { afterEach, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { findTopic } from '../lib/topics'
import { fill, opened } from '../testing/hands'

afterEach(cleanup)

it('somebody without a seat is found by whoever looks for him to give him one', async () => {
  const api = fullScene('en', 'light')
  const window = await opened(api)
  const topic = findTopic(window.tree?.view ?? null, 't4')
  if (!topic) throw new Error('no topic')
  window.dialogs.show({ kind: 'seats', topic })
  await screen.findByTestId('dialog-seats')
  const name = api.members.sections.flatMap(({ members }) => members).find((one) => !one.isOwner)?.name ?? ''
  await fill('seats-search', name)
  const found = await screen.findAllByTestId('seats-member')
  expect(found[0]?.dataset['name']).toBe(name)
  expect(screen.getAllByTestId('seat')[0]?.textContent).toContain('Give')
  await waitFor(() => expect(screen.getByTestId<HTMLInputElement>('seats-search').value).toBe(name))
})
