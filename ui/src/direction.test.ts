// What strangers wrote runs as its own letters do, and turns nothing around it.
import { parse, type AST } from 'svelte/compiler'
import { describe, expect, it } from 'vitest'

const components = Object.entries(
  import.meta.glob<string>('./**/*.svelte', { query: '?raw', import: 'default', eager: true }),
).filter(([path]) => !path.includes('.test.'))

/** What is given by a person, a community or a server. */
const GIVEN = /\b(name|\w+Name|introduction)\b|\bitem\.label\b|\bpart\.title\b|\bgroupName\(/
/** What isolates by itself, or is one letter or Latin only. */
const SAFE = /^(i18n\.|isolate\(|initialOf\(|t\.|topicName === |[\w.]*accountName$)/
/** Names of the window’s own, from its catalogue, and of files of its own. */
const OWN = ['Sheet: one.name', 'SettingsDialog: shown?.name', 'EmojiPicker: chosen &&', 'BackupsSection: backup.name']

interface Given {
  expression: string
  isAlone: boolean
}

/** What is shown of what was given, and whether something around it keeps its direction apart. */
function givenIn(source: string): Given[] {
  const found: Given[] = []
  const walk = (node: unknown, isAlone: boolean): void => {
    if (Array.isArray(node)) return node.forEach((one) => walk(one, isAlone))
    if (typeof node !== 'object' || node === null) return
    const one = node as AST.BaseNode & { name?: string; attributes?: unknown }
    if (one.type === 'ExpressionTag') {
      const expression = source.slice(one.start + 1, one.end - 1).trim()
      if (GIVEN.test(expression) && !SAFE.test(expression)) found.push({ expression, isAlone })
      return
    }
    const isElement = Array.isArray(one.attributes)
    const attributes = isElement ? (one.attributes as { name?: string }[]) : []
    const keeps = one.name === 'bdi' || attributes.some(({ name }) => name === 'dir')
    for (const [key, child] of Object.entries(one)) {
      // An attribute is no text; what a component shows of it is seen there.
      if (key === 'attributes' || key === 'expression' || key === 'metadata') continue
      walk(child, isAlone || keeps)
    }
  }
  walk(parse(source, { modern: true }).fragment, false)
  return found
}

describe('what strangers wrote', () => {
  it.each(components)('has a direction of its own in %s', (path, source) => {
    const name = /(\w+)\.svelte$/.exec(path)?.[1] ?? ''
    const bare = givenIn(source)
      .filter(({ isAlone }) => !isAlone)
      .map(({ expression }) => `${name}: ${expression}`)
    expect(bare.filter((one) => !OWN.some((own) => one.startsWith(own)))).toEqual([])
  })

  it('is looked for where it stands', () => {
    expect(components.flatMap(([, source]) => givenIn(source)).length).toBeGreaterThan(25)
    expect(givenIn('<p>{member.name}</p>')).toEqual([{ expression: 'member.name', isAlone: false }])
    expect(givenIn('<p><bdi class="cut">{member.name}</bdi></p>')).toEqual([
      { expression: 'member.name', isAlone: true },
    ])
  })

  it('has its lines where an introduction is shown whole', () => {
    for (const [path, source] of components)
      for (const [, shown = ''] of source.matchAll(/<p class="([^"]*)" dir="auto">\{[\w.]*introduction\}/g)) {
        const sheet = /<style>([^]*)<\/style>/.exec(source)?.[1] ?? ''
        expect(sheet, `${path} .${shown}`).toContain('white-space: pre-wrap')
      }
  })
})
