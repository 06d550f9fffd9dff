import { cleanup, fireEvent, render, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { faults } from '../testing/faults'
import { topic, tree } from '../testing/views'
import Tree from './Tree.svelte'

afterEach(cleanup)

describe('the tree', () => {
  const badge = { unread: 0, mentions: 0, hasDot: false }
  const house = tree({
    groups: [
      {
        id: 'a',
        name: 'A',
        badge,
        permissions: ['manageTopics'],
        isPending: false,
        topics: [topic('a1', 'one'), topic('a2', 'two')],
      },
      { id: 'b', name: 'B', badge, permissions: ['manageTopics'], isPending: false, topics: [topic('b1', 'three')] },
    ],
  })
  const setup = async (collapsed: string[] = [], shown = house, open = 'a1') => {
    const handlers = {
      ontopic: vi.fn(),
      oncollapse: vi.fn(),
      onmove: vi.fn(),
      ontopicmenu: vi.fn(),
      ongroupmenu: vi.fn(),
      onnewtopic: vi.fn(),
      onnewgroup: vi.fn(),
    }
    render(Tree, { tree: shown, open, collapsed, ...handlers })
    const all = shown.groups.flatMap((group) => [group, ...group.topics])
    const wanted = collapsed.length > 0 ? 3 : Math.min(all.length, 10)
    await waitFor(() => expect(document.querySelectorAll('[role=treeitem]').length).toBeGreaterThanOrEqual(wanted))
    return handlers
  }
  const line = (id: string): HTMLElement => document.querySelector(`[data-line-id=${id}]`) as HTMLElement
  const large = tree({
    groups: Array.from({ length: 20 }, (_, g) => ({
      id: `g${g}`,
      name: `Group ${g}`,
      badge,
      permissions: [],
      isPending: false,
      topics: Array.from({ length: 50 }, (_, t) => topic(`g${g}t${t}`, `topic ${g} ${t}`)),
    })),
  })

  it('is walked with arrows and has one stop for Tab', async () => {
    const { ontopic } = await setup()
    expect([...document.querySelectorAll('[role=treeitem][tabindex="0"]')]).toEqual([line('a1')])
    line('a1').focus()
    await fireEvent.keyDown(line('a1'), { key: 'ArrowDown' })
    await waitFor(() => expect(document.activeElement).toBe(line('a2')))
    await fireEvent.keyDown(line('a2'), { key: 'Enter' })
    expect(ontopic).toHaveBeenCalledWith('a2')
    expect(await faults()).toEqual([])
  })

  it('has only the lines in view in the page, each of which says where it stands in the whole', async () => {
    await setup([], large, 'g19t49')
    expect(document.querySelectorAll('[role=treeitem]').length).toBeLessThan(60)
    expect(line('g19t49').getAttribute('aria-posinset')).toBe('50')
    expect(line('g19t49').getAttribute('aria-setsize')).toBe('50')
    line('g19t49').focus()
    await fireEvent.keyDown(line('g19t49'), { key: 'Home' })
    await waitFor(() => expect(document.activeElement).toBe(line('g0')))
    expect(line('g0').getAttribute('aria-setsize')).toBe('20')
    await fireEvent.keyDown(line('g0'), { key: 'End' })
    await waitFor(() => expect(document.activeElement).toBe(line('g19t49')))
    expect(await faults()).toEqual([])
  })

  it('finds a line by the first letters of its name', async () => {
    await setup([], large, 'g0t0')
    line('g0t0').focus()
    // On a busy machine letters would otherwise be too far apart for one name.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    for (const key of ['T', 'o', 'p', 'i', 'c', ' ', '7', ' ', '4', '9'])
      await fireEvent.keyDown(document.activeElement as HTMLElement, { key })
    clock.mockRestore()
    await waitFor(() => expect(document.activeElement).toBe(line('g7t49')))
  })

  it('orders by keyboard', async () => {
    const { onmove } = await setup()
    await fireEvent.keyDown(line('a1'), { key: 'ArrowDown', altKey: true })
    expect(onmove).toHaveBeenCalledWith({ type: 'moveTopic', community: 'c1', topic: 'a1', group: 'a', after: 'a2' })
    await fireEvent.keyDown(line('b'), { key: 'ArrowUp', altKey: true })
    expect(onmove).toHaveBeenLastCalledWith({ type: 'moveGroup', community: 'c1', group: 'b', after: null })
  })

  it('opens its menu by key', async () => {
    const { ontopicmenu } = await setup()
    await fireEvent.keyDown(line('a2'), { key: 'F10', shiftKey: true })
    expect(ontopicmenu).toHaveBeenCalledOnce()
  })

  it('shows the open topic of a collapsed group', async () => {
    await setup(['a', 'b'])
    expect(line('a1')).not.toBeNull()
    expect(document.querySelector('[data-line-id=a2]')).toBeNull()
  })
})
