import { expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import type { JumpView } from '../api'
import { Refused } from '../api'
import { SwitcherState } from './switcher.svelte'

function setup() {
  const api = fullScene('en', 'light')
  const switcher = new SwitcherState(api, () => api.app)
  return { api, switcher }
}

it('reads once for each account, however many communities there are and however much is typed', async () => {
  const { api, switcher } = setup()
  api.calls.length = 0
  await switcher.ask()
  expect(switcher.found.length).toBeGreaterThan(3)
  for (const typed of ['g', 'gu', 'gui', 'guides']) {
    switcher.typed = typed
    expect(switcher.found[0]?.topic.name).toBe('guides')
  }
  expect(api.calls, 'typing asks nobody').toEqual(api.app.accounts.map(() => 'topicsView'))
})

it('an answer that was overtaken does not stay', async () => {
  const { api, switcher } = setup()
  api.app = { ...api.app, accounts: api.app.accounts.slice(0, 1) }
  const jumps = await api.topicsView(api.app.accounts[0]?.key ?? '')
  const answers: ((jumps: JumpView[]) => void)[] = []
  api.topicsView = () => new Promise((resolve) => answers.push(resolve))
  const asked = switcher.ask()
  void switcher.ask()
  expect(answers.length, 'one at a time').toBe(1)
  answers[0]?.(jumps)
  while (answers.length < 2) await Promise.resolve()
  answers[1]?.(jumps.map((jump) => ({ ...jump, communityName: 'Renamed since' })))
  await asked
  expect(switcher.found[0]?.communityName).toBe('Renamed since')
})

it('an account that cannot be read is told, and the others are found', async () => {
  const { api, switcher } = setup()
  const whole = api.topicsView
  const broken = api.app.accounts[1]?.key
  api.topicsView = (account) =>
    account === broken
      ? Promise.reject(new Refused({ code: 'store_damaged', message: '', rejection: null }))
      : whole(account)
  await switcher.ask()
  expect(switcher.error?.code).toBe('store_damaged')
  expect(switcher.found.length).toBeGreaterThan(0)
})
