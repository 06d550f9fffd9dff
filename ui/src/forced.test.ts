// Contrast themes of a system draw neither grounds nor shadows: what only they say has to be said by a line there.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const CSS = readFileSync(join(import.meta.dirname, 'app.css'), 'utf8')
const components = import.meta.glob<string>('./**/*.svelte', { query: '?raw', import: 'default', eager: true })

/** What has a line around it under a contrast theme. */
const lined = [...CSS.matchAll(/@media \(forced-colors: active\) \{([\s\S]*?)\n\}/g)]
  .flatMap(([, block = '']) => [...block.matchAll(/:is\(([^{}]*)\)[^{}]*\{[^{}]*outline:/g)])
  .flatMap(([, selectors = '']) => selectors.split(',').map((one) => one.trim()))

/** The tags with something in them, from `<` to the end of their attributes. */
const tagsOf = (source: string): string[] => source.match(/<[a-z](?:\{(?:[^{}]|\{[^{}]*\})*\}|[^<>{}]|=>)*>/g) ?? []

it('which one of several is chosen is seen under a contrast theme', () => {
  const chosen = Object.entries(components).flatMap(([name, source]) =>
    tagsOf(source)
      .filter((tag) => tag.includes('class:on='))
      .map((tag) => [name, tag] as const),
  )
  expect(chosen.length).toBeGreaterThan(8)
  for (const [name, tag] of chosen) {
    // The dot of whoever is online: his row says it, too.
    if (name.endsWith('MembersPanel.svelte')) continue
    const states = [...tag.matchAll(/\b(aria-(?:pressed|selected|current))=/g)].map(([, state = '']) => state)
    const isLined = states.some((state) => lined.some((selector) => selector.startsWith(`[${state}=`)))
    expect(isLined || name.endsWith('Choices.svelte'), `${name}: ${tag}`).toBe(true)
  }
  expect(lined, 'where a box in it is what is chosen').toContain('.segments > .on')
})

it('and so is what is pressed', () => {
  const pressed = Object.values(components).flatMap((source) => source.match(/\baria-pressed=/g) ?? [])
  expect(pressed.length).toBeGreaterThan(5)
  expect(lined).toContain("[aria-pressed='true']")
})
