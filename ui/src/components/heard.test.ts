// What is heard of the numbers that are seen.
import { cleanup, screen, waitFor } from '@testing-library/svelte'
import { computeAccessibleName } from 'dom-accessibility-api'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { opened } from '../testing/hands'

afterEach(cleanup)

const nameOf = (selector: string): string => {
  const element = document.querySelector(selector)
  return element ? computeAccessibleName(element) : ''
}

describe('who hears the window', () => {
  it('hears what is unread in a community and in a group that is folded, and nothing of the buttons in its line', async () => {
    const api = fullScene('en', 'light')
    const badge = { unread: 7, mentions: 0, hasDot: false }
    const accounts = api.app.accounts.map((one) => ({
      ...one,
      communities: one.communities.map((tile) => ({ ...tile, badge: tile.id === 'c1' ? badge : tile.badge })),
    }))
    api.app = { ...api.app, accounts }
    const tree = api.trees.get('c1')
    const [first, ...others] = tree?.groups ?? []
    if (!tree || !first) throw new Error('the scene has groups')
    const folded = { ...first, badge: { unread: 9, mentions: 2, hasDot: false } }
    api.trees.set('c1', { ...tree, groups: [folded, ...others] })
    const window = await opened(api)
    expect(nameOf('[data-testid=tile-c1]')).toMatch(/ 7 unread$/)
    expect(nameOf(`[data-line-id=${first.id}]`)).toBe(first.name)
    window.set({ collapse: [first.id] })
    await waitFor(() => expect(nameOf(`[data-line-id=${first.id}]`)).toBe(`${first.name} 2 mentions`))
  })

  it('hears whether a community is connected, and how many are there', async () => {
    await opened(fullScene('en', 'light'))
    const counts = screen.getByTestId('community-menu').querySelector('small')?.textContent.trim() ?? ''
    expect(counts).toContain('online')
    expect(nameOf('[data-testid=community-menu]')).toContain(counts)
  })
})
