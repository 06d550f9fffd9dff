// The guides and the program’s help name what the window shows by the window’s words.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { en } from './i18n/en'

const root = join(import.meta.dirname, '../..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

const textsOf = (node: unknown): string[] =>
  typeof node === 'string'
    ? [node]
    : typeof node === 'object' && node !== null
      ? Object.values(node).flatMap(textsOf)
      : []
const shown = new Set(textsOf(en))

/** Emphasis in a guide stands for a label, and arrows lead from one to the next. */
const labelsIn = (guide: string): string[] =>
  [...guide.replaceAll(/```[^]*?```|`[^`\n]*`|\*\*[^*]+\*\*/g, '').matchAll(/(?<!\*)\*([^*\s][^*]*)\*/g)]
    .flatMap(([, label = '']) => label.replaceAll('\n', ' ').split(' → '))
    .concat([...guide.matchAll(/(?<=\()[A-Z]\w+(?: → [A-Z]\w+)+/g)].flatMap(([path]) => path.split(' → ')))

it('every label that the guide to hosting names is one of the window', () => {
  const labels = labelsIn(read('docs/hosting.md'))
  expect(labels.length).toBeGreaterThan(20)
  expect(labels.filter((label) => !shown.has(label))).toEqual([])
})

it('the page of settings that the program’s help names is there', () => {
  const [, title, page] = /\b(Settings), (\w+)\./.exec(read('src-tauri/src/words.rs')) ?? []
  expect([en.settings.title, en.settings.general]).toEqual([title, page])
})
