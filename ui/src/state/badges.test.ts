import { beforeEach, describe, expect, it } from 'vitest'
import type { AppView, Badge, Change, TreeView } from '../api'
import { findTopic } from '../lib/topics'
import { StandIn } from '../testing/stand-in'
import { account, appView, NO_BADGE, topic, tree } from '../testing/views'
import { WindowState } from './window.svelte'

const settle = () => new Promise((resolve) => setTimeout(resolve))
const unread = (unread: number): Badge => ({ ...NO_BADGE, unread })
const moved = (topic: string): Change => ({ type: 'badge', account: 's1.me', community: 'c1', topic })

const app = (badge: Badge): AppView => {
  const tile = { name: 'One', isPending: false }
  const communities = [
    { ...tile, id: 'c1', badge },
    { ...tile, id: 'c2', badge: unread(1) },
  ]
  return appView({ badge, accounts: [account({ communities }), account({ key: 's1.other', communities })] })
}

const forest = (numbers: number[]): TreeView => {
  const topics = numbers.map((number, at) => ({ ...topic(`t${at}`, `T${at}`), badge: unread(number) }))
  const badge = unread(numbers.reduce((sum, number) => sum + number, 0))
  return tree({ groups: [{ id: 'g', name: 'G', badge, permissions: [], isPending: false, topics }] })
}

describe('numbers that move', () => {
  let api: StandIn
  let window: WindowState
  const shown = (id: string): number | undefined => findTopic(window.tree?.view ?? null, id)?.badge.unread

  beforeEach(async () => {
    api = new StandIn()
    api.app = app(unread(0))
    api.trees.set('c1', forest([0, 0, 0]))
    window = new WindowState(api)
    await window.start()
    await settle()
    api.calls.length = 0
  })

  it('are read alone, all that moved at once, and stand wherever they are shown', async () => {
    api.trees.set('c1', forest([0, 3, 2]))
    api.app = app(unread(5))
    const untouched = findTopic(window.tree?.view ?? null, 't0')
    api.tell(moved('t1'), moved('t2'), moved('t1'))
    await settle()
    expect(api.calls, 'neither the tree nor the frame is read').toEqual(['badgesView t1 t2'])
    expect([shown('t1'), shown('t2')]).toEqual([3, 2])
    expect(window.tree?.view?.groups[0]?.badge.unread, 'its group').toBe(5)
    expect(window.account?.communities.map((tile) => tile.badge.unread)).toEqual([5, 1])
    expect(window.view?.accounts[1]?.communities[0]?.badge.unread, 'another account has its own').toBe(0)
    expect(window.view?.badge.unread).toBe(5)
    expect(findTopic(window.tree?.view ?? null, 't0'), 'and nothing else is another').toBe(untouched)
  })

  it('of a community that is not open are one small read', async () => {
    api.trees.set('c2', forest([4]))
    api.app = { ...app(unread(0)), badge: unread(4) }
    api.tell({ ...moved('t0'), community: 'c2' } as Change)
    await settle()
    expect(api.calls).toEqual(['badgesView t0'])
    expect(shown('t0'), 'a topic of the open one is another').toBe(0)
    expect(window.view?.badge.unread).toBe(4)
  })

  it('while a tree is on its way are read again when it is there, for it may be older', async () => {
    const answers: (() => void)[] = []
    const older = forest([0, 0, 0])
    api.treeView = () => new Promise((resolve) => answers.push(() => resolve(older)))
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    api.trees.set('c1', forest([0, 3, 0]))
    api.tell(moved('t1'))
    await settle()
    expect(shown('t1')).toBe(3)
    answers[0]?.()
    await settle()
    expect(shown('t1')).toBe(3)
  })

  it('do not overwrite a view that came after they were asked for', async () => {
    const answers: (() => void)[] = []
    const first = api.badgesView
    api.badgesView = async (...asked) => {
      const older = await first(...asked)
      if (answers.length === 0) await new Promise<void>((resolve) => answers.push(resolve))
      return older
    }
    api.trees.set('c1', forest([0, 3, 0]))
    api.tell(moved('t1'))
    await settle()
    // A level was set: nothing is shown of that topic.
    api.trees.set('c1', forest([0, 0, 0]))
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    await settle()
    answers[0]?.()
    await settle()
    expect(shown('t1')).toBe(0)
  })
})
