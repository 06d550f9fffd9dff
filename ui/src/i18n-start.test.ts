import { expect, it, vi } from 'vitest'

const isolating = vi.hoisted(() => vi.fn())
vi.mock('./lib/isolate', async (original) => {
  const real = await original<typeof import('./lib/isolate')>()
  isolating.mockImplementation(real.isolating)
  return { ...real, isolating }
})

it('makes the catalogue of the language that is shown, once, and not the other', async () => {
  const { i18n } = await import('./i18n.svelte')
  const { zhCN } = await import('./i18n/zh-CN')
  i18n.use('zh-CN')
  expect(i18n.t.notCopied).toBe(zhCN.notCopied)
  i18n.use('zh-CN')
  expect(i18n.t.copied).toBe(zhCN.copied)
  expect(isolating.mock.calls.map(([words]) => words as unknown)).toEqual([zhCN])
})
