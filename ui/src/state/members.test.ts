import { describe, expect, it, vi } from 'vitest'
import type { Api, MembersView } from '../api'
import { StandIn } from '../testing/stand-in'
import { member } from '../testing/views'
import { MembersState } from './members.svelte'

const settle = () => new Promise((resolve) => setTimeout(resolve))

/** A list of so many, and what was asked of it. */
function scene(count: number) {
  const api: Api = new StandIn()
  const asked: (string | null)[] = []
  const people = Array.from({ length: count }, (_, at) => member(`p${at}`, `P${at}`))
  const source = { people, isFresh: true, all: count as number | null }
  api.membersView = (_account, _community, _topic, prefix, limit, after = null) => {
    asked.push(after)
    const fits = source.people.filter((one) => one.name.startsWith(prefix))
    const from = Number(after ?? 0)
    const members = fits.slice(from, from + limit)
    const next = from + limit < fits.length ? String(from + limit) : null
    const view: MembersView = {
      sections: [{ memberGroup: null, name: '', count: fits.length, members }],
      next,
      isFresh: source.isFresh,
    }
    return Promise.resolve(view)
  }
  const members = new MembersState(api, 'account', 'community', null, undefined, () => source.all)
  const names = (): string[] => members.view?.sections.flatMap((one) => one.members.map((one) => one.name)) ?? []
  return { members, asked, source, names }
}

describe('a list of members', () => {
  it('goes on where it ended whenever more are asked for, and begins anew with a search', async () => {
    vi.useFakeTimers()
    const { members, asked, names, source } = scene(500)
    await members.ask()
    await members.more()
    await members.more()
    expect(asked, 'nobody is asked for twice').toEqual([null, '200', '400'])
    expect(names()).toEqual(source.people.map((one) => one.name))
    expect(members.view?.next).toBeNull()
    members.search('P4')
    await vi.runAllTimersAsync()
    expect(asked.slice(3), 'a search has a first page of its own').toEqual([null])
    expect(names().length).toBe(111)
    vi.useRealTimers()
  })

  it('reads again of what changed only what is looked at, and the rest when it comes into view', async () => {
    const { members, asked, names, source } = scene(600)
    await members.ask()
    await members.more()
    await members.more()
    asked.length = 0
    members.look(0, 0.1)
    source.people = source.people.map((one) => ({ ...one, name: `${one.name}!` }))
    await members.ask()
    expect(asked, 'one page of three').toEqual([null])
    expect([names()[0], names()[599]]).toEqual(['P0!', 'P599'])
    members.look(0.9, 1)
    await settle()
    expect(asked).toEqual([null, '400'])
    expect(names()[599]).toBe('P599!')
  })

  it('is whole again when somebody left and all behind him moved', async () => {
    const { members, names, source } = scene(450)
    await members.ask()
    await members.more()
    await members.more()
    source.people = source.people.slice(3)
    members.look(0, 0.1)
    await members.ask()
    expect(new Set(names()).size, 'nobody twice').toBe(names().length)
    members.look(0, 1)
    await settle()
    expect(names()).toEqual(source.people.map((one) => one.name))
  })

  it('begins anew when the link goes between two pages', async () => {
    const { members, asked, source, names } = scene(300)
    await members.ask()
    source.isFresh = false
    await members.more()
    expect(asked).toEqual([null, '200', null, '200'])
    expect(members.view?.isFresh).toBe(false)
    expect(names().length).toBe(300)
  })

  it('that changes while it is on its way is read once more', async () => {
    const { members, source, names } = scene(1)
    const first = members.ask()
    source.people = [member('p9', 'P9')]
    void members.ask()
    await first
    expect(names()).toEqual(['P9'])
  })

  it('asks for nothing that nobody looks at', async () => {
    const { members, asked } = scene(10)
    members.isShown = false
    await members.ask()
    members.askLater()
    expect(asked).toEqual([])
    const hide = members.show()
    await settle()
    expect(asked, 'it is read when it is shown').toEqual([null])
    hide()
    await members.ask()
    expect(asked).toEqual([null])
  })

  it.each([
    { all: 3, ms: 1_000 },
    { all: 500, ms: 5_000 },
    { all: 20_000, ms: 60_000 },
  ])('is read again the later after somebody came or went the larger it is: $all', async ({ all, ms }) => {
    vi.useFakeTimers()
    const { members, asked } = scene(all)
    await members.ask()
    for (let count = 0; count < 10; count += 1) {
      members.askLater()
      await vi.advanceTimersByTimeAsync(ms / 10 - 1)
    }
    expect(asked.length).toBe(1)
    await vi.advanceTimersByTimeAsync(10)
    expect(asked.length).toBe(2)
    vi.useRealTimers()
  })

  it('is read again as seldom while few of many are found, or nobody is', async () => {
    vi.useFakeTimers()
    const { members, asked, source } = scene(20_000)
    await members.ask()
    members.search('P19999')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(members.view?.sections[0]?.count, 'the search found one').toBe(1)
    for (const all of [20_000, null]) {
      source.all = all
      asked.length = 0
      members.askLater()
      await vi.advanceTimersByTimeAsync(50_000)
      expect(asked, `of ${all}`).toEqual([])
      await vi.advanceTimersByTimeAsync(10_000)
      expect(asked, 'in the end').toEqual([null])
    }
    vi.useRealTimers()
  })
})
