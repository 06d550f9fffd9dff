import { expect, it, vi } from 'vitest'
import type { Api } from '../api'
import { StandIn } from '../testing/stand-in'
import { MembersState } from './members.svelte'

it('lists more members whenever more are asked for, and begins anew with a search', async () => {
  vi.useFakeTimers()
  const api: Api = new StandIn()
  const limits: number[] = []
  api.membersView = (_account, _community, _topic, _prefix, limit) => {
    limits.push(limit)
    return Promise.resolve({ sections: [], hasMore: true, isFresh: true })
  }
  const members = new MembersState(api, 'account', 'community', null)
  await members.ask()
  await members.more()
  await members.more()
  expect(limits).toEqual([200, 400, 600])
  members.search('a')
  await vi.runAllTimersAsync()
  expect(limits.at(-1), 'a search has a first page of its own').toBe(200)
  vi.useRealTimers()
})
