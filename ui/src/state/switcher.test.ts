import { expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import type { TreeView } from '../api'
import { Refused } from '../api'
import { SwitcherState } from './switcher.svelte'

function setup() {
  const api = fullScene('en', 'light')
  const switcher = new SwitcherState(api, () => api.app)
  const read = (): number => api.calls.filter((call) => call === 'treeView').length
  return { api, switcher, read }
}

it('reads every tree once, however much is typed', async () => {
  const { switcher, read } = setup()
  await switcher.ask()
  const once = read()
  expect(switcher.found.length).toBeGreaterThan(3)
  for (const typed of ['g', 'gu', 'gui', 'guides']) {
    switcher.typed = typed
    expect(switcher.found[0]?.topic.name).toBe('guides')
  }
  expect(read(), 'typing asks nobody').toBe(once)
})

it('an answer that was overtaken does not stay', async () => {
  const { api, switcher } = setup()
  const answers: ((tree: TreeView) => void)[] = []
  const first = api.app.accounts[0]?.communities[0]?.id ?? ''
  const tree = api.trees.get(first)
  if (!tree) throw new Error('the scene has a community')
  api.app = { ...api.app, accounts: api.app.accounts.slice(0, 1) }
  api.treeView = (_account, community) =>
    community === first
      ? new Promise((resolve) => answers.push(resolve))
      : Promise.reject(new Refused({ code: 'not_found', message: '', rejection: null }))
  const asked = switcher.ask()
  void switcher.ask()
  expect(answers.length, 'one at a time').toBe(1)
  answers[0]?.(tree)
  while (answers.length < 2) await Promise.resolve()
  answers[1]?.({ ...tree, name: 'Renamed since' })
  await asked
  expect(switcher.found[0]?.communityName).toBe('Renamed since')
})

it('a community that cannot be read is told, and the others are found', async () => {
  const { api, switcher } = setup()
  const whole = api.treeView
  const broken = api.app.accounts[0]?.communities[1]?.id
  api.treeView = (account, community) =>
    community === broken
      ? Promise.reject(new Refused({ code: 'store_damaged', message: '', rejection: null }))
      : whole(account, community)
  await switcher.ask()
  expect(switcher.error?.code).toBe('store_damaged')
  expect(switcher.found.length).toBeGreaterThan(0)
})
