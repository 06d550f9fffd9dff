// What is heard of the numbers that are seen.
import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { computeAccessibleName } from 'dom-accessibility-api'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { i18n } from '../i18n.svelte'
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

  it('hears of two who are called alike which one a menu and an explanation are about', async () => {
    const api = fullScene('en', 'light')
    const sections = api.members.sections.map((section) => ({
      ...section,
      members: section.members.map((one) => ({ ...one, name: 'Fawn', looksAlike: true })),
    }))
    api.members = { ...api.members, sections }
    const [first, second] = sections.flatMap((section) => section.members).filter((one) => !one.isMe)
    if (!first || !second) throw new Error('the scene has members')
    const window = await opened(api)
    const titles: string[] = []
    for (const { id, accountName } of [first, second]) {
      // The page has no width here: the list is shown over it, as in a narrow window.
      window.isMembersOverlayOpen = true
      const row = await waitFor(() => {
        const found = document.querySelector<HTMLElement>(`[data-member-id="${id}"]`)
        if (!found) throw new Error('no row')
        return found
      })
      await fireEvent.contextMenu(row)
      const menu = await screen.findByTestId('menu')
      expect(computeAccessibleName(menu)).toContain(accountName)
      await fireEvent.click(within(menu).getByText(i18n.t.members.explain))
      const dialog = await screen.findByTestId('dialog-explain')
      titles.push(computeAccessibleName(dialog))
      expect(titles.at(-1)).toContain(accountName)
      await fireEvent.keyDown(dialog, { key: 'Escape' })
      await waitFor(() => expect(screen.queryByTestId('dialog-explain')).toBeNull())
    }
    expect(new Set(titles).size).toBe(2)
  })

  it('hears whether a community is connected, and how many are there', async () => {
    await opened(fullScene('en', 'light'))
    const counts = screen.getByTestId('community-menu').querySelector('small')?.textContent.trim() ?? ''
    expect(counts).toContain('online')
    expect(nameOf('[data-testid=community-menu]')).toContain(counts)
  })
})
