import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene, type Tongue } from '../../stories/scenes'
import App from '../App.svelte'
import type { TreeView } from '../api'
import type { WindowState } from '../state/window.svelte'
import type { StandIn } from '../testing/stand-in'

afterEach(cleanup)

/** The window of a member whose only topic is taken from his sight; what is left of the tree is given. */
async function afterwards(lang: Tongue, left: (tree: TreeView) => TreeView): Promise<WindowState> {
  const api: StandIn = fullScene(lang, 'light')
  const whole = api.trees.get('c1')
  if (!whole) throw new Error('there is no community')
  const mine = { ...whole, isOwner: false, permissions: ['view'] }
  const groups = mine.groups.slice(1, 2).map((group) => ({ ...group, topics: group.topics.slice(0, 1) }))
  api.trees.set('c1', { ...mine, groups })
  const window = await new Promise<WindowState>((resolve) => {
    render(App, { api, onready: resolve })
  })
  await screen.findAllByTestId('message')
  api.trees.set('c1', left({ ...mine, groups }))
  api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
  await waitFor(() => expect(window.timeline).toBeNull())
  return window
}

describe('when everybody loses the sight of the only topic', () => {
  it('the window says which it was, and that there is none that one may see', async () => {
    await afterwards('en', (tree) => ({ ...tree, groups: [] }))
    const errors = within(screen.getByTestId('errors'))
    expect((await errors.findByTestId('toast')).textContent.replace(/[⁦-⁩]/g, '')).toContain(
      '“looking-for-group” is gone, or no longer open to you',
    )
    const said = await screen.findByTestId('no-topics')
    expect(said.textContent).toContain('No topics that you can see')
    expect(said.textContent).toContain('opens one to you')
    expect(within(said).queryByRole('button'), 'nothing is offered that he may not do').toBeNull()
  })

  it('it is said in Chinese as well', async () => {
    await afterwards('zh-CN', (tree) => ({ ...tree, groups: [] }))
    expect((await screen.findByTestId('no-topics')).textContent).toContain('没有您能看到的话题')
  })

  it('a closed topic without a seat is none to choose', async () => {
    await afterwards('en', (tree) => ({
      ...tree,
      groups: tree.groups.map((group) => ({
        ...group,
        topics: group.topics.map((topic) => ({ ...topic, isLocked: true, isClosed: true })),
      })),
    }))
    expect((await screen.findByTestId('no-topics')).textContent).toContain('No topics that you can see')
    for (const ask of [fireEvent.click, (row: HTMLElement) => fireEvent.keyDown(row, { key: 'Enter' })]) {
      const [topic] = screen.getAllByTestId('topic')
      if (!topic) throw new Error('no topic')
      topic.focus()
      await ask(topic)
      const said = await screen.findByText(/only members with a seat/)
      await fireEvent.click(within(said.closest('[data-testid=toast]') as HTMLElement).getByRole('button'))
      await waitFor(() => expect(screen.queryByText(/only members with a seat/)).toBeNull())
    }
  })
})
