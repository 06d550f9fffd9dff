import { expect, it } from 'vitest'

const components = import.meta.glob<string>('./**/*.svelte', { query: '?raw', import: 'default', eager: true })

it('no component has a style attribute, which the window would not take', () => {
  expect(Object.keys(components).length).toBeGreaterThan(50)
  for (const [name, source] of Object.entries(components)) {
    expect(source, name).not.toMatch(/<[a-z][^>]*\sstyle=/)
  }
})
