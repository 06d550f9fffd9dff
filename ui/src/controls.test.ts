// What every control keeps, whichever component draws it: its size at the smallest text, the border of a field.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'

const components = Object.entries(
  import.meta.glob<string>('./**/*.svelte', { query: '?raw', import: 'default', eager: true }),
)
const sheetOf = (source: string): string => /<style>([^]*)<\/style>/.exec(source)?.[1] ?? ''
const CSS = readFileSync(join(import.meta.dirname, 'app.css'), 'utf8')

/** The least size of what is pressed, px. */
const LEAST = 24

it('nothing that is pressed is smaller than 24 px at the smallest text', () => {
  const page = components.find(([path]) => path.endsWith('/GeneralPage.svelte'))?.[1] ?? ''
  const smallest = Number(/type="range"[^]*?min="(\d+)"/.exec(page)?.[1]) / 100
  expect(smallest, 'the slider of the text’s size').toBeGreaterThan(0.5)
  const shrinks = [['app.css', CSS] as const, ...components.map(([path, source]) => [path, sheetOf(source)] as const)]
    .flatMap(([path, sheet]) =>
      [...sheet.matchAll(/((?:min-)?(?:width|height)|--cell|--row): calc\((\d+)px \* var\(--scale\)\);/g)].map(
        ([rule, , px]) => ({ path, rule, px: Number(px) }),
      ),
    )
    // What is smaller as it is, is a picture and not pressed.
    .filter(({ px }) => px >= LEAST && px * smallest < LEAST)
  expect(shrinks.map(({ path, rule }) => `${path}: ${rule}`)).toEqual([])
})

it('every field has a border that can be seen, and another one while it has the keyboard', () => {
  let fields = 0
  for (const [path, source] of components) {
    for (const [field] of source.matchAll(
      /<(?:input|textarea|select)\b(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}|[^<>{}]|=>)*>/g,
    )) {
      if (/type="(checkbox|radio|range|file)"/.test(field)) continue
      fields += 1
      if (/class="input\b/.test(field)) continue
      const sheet = sheetOf(source)
      // The tokens stand out 3 : 1 (`contrast.test.ts`).
      expect(sheet, `${path}: ${field}`).toMatch(/border(-bottom)?: 1px solid var\(--line-strong\)/)
      expect(sheet, `${path}: ${field}`).toMatch(/:focus(-within)? \{[^}]*border-color: var\(--accent\)/)
    }
  }
  expect(fields).toBeGreaterThan(15)
  expect(CSS).toMatch(/\.input \{[^}]*border: 1px solid var\(--line-strong\)/)
})
