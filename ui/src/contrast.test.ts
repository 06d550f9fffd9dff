import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const CSS = readFileSync(join(import.meta.dirname, 'app.css'), 'utf8')
/** What text needs against its ground, and what a border of a field or a mark needs (WCAG 2.2, AA). */
const TEXT = 4.5
const MARK = 3

type Colour = readonly [number, number, number, number]

/** The colours of a theme: those of the page, and those of the theme. */
function tokensOf(theme: 'light' | 'dark'): Map<string, Colour> {
  const tokens = new Map<string, Colour>()
  for (const [, selector = '', body = ''] of CSS.matchAll(/([^{}]+)\{([^{}]*)\}/g)) {
    if (!selector.includes(`[data-theme='${theme}']`) && !/:root\s*$/.test(selector)) continue
    for (const [, name = '', hex = ''] of body.matchAll(/(--[\w-]+): #([0-9a-f]{6}(?:[0-9a-f]{2})?);/g)) {
      const [r = 0, g = 0, b = 0, a = 255] = (hex.match(/../g) ?? []).map((two) => parseInt(two, 16))
      tokens.set(name, [r, g, b, a / 255])
    }
  }
  return tokens
}

const over = (top: Colour, below: Colour): Colour => {
  const mix = (i: 0 | 1 | 2): number => top[i] * top[3] + below[i] * (1 - top[3])
  return [mix(0), mix(1), mix(2), 1]
}

function luminance([r, g, b]: Colour): number {
  const linear = (channel: number): number => {
    const c = channel / 255
    return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4
  }
  return 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

function ratio(one: Colour, other: Colour): number {
  const [light, dark] = [luminance(one), luminance(other)].sort((a, b) => b - a) as [number, number]
  return (light + 0.05) / (dark + 0.05)
}

/** A token on others that lie on each other, the lowest last: “ink-3 on bg-hover on bg”. */
type Pair = readonly [ink: string, ...grounds: string[]]

const GROUNDS: readonly string[][] = [
  ['bg'],
  ['bg-raise'],
  ['bg-side'],
  ['bg-hover', 'bg'],
  ['bg-hover', 'bg-raise'],
  ['bg-hover', 'bg-side'],
  ['bg-active', 'bg'],
  ['bg-active', 'bg-raise'],
  ['bg-active', 'bg-side'],
  ['mention-soft', 'bg'],
  ['accent-soft', 'bg'],
  ['accent-soft', 'bg-raise'],
  ['warn-soft', 'bg'],
  ['bad-soft', 'bg'],
  ['ok-soft', 'bg'],
  ['seg', 'bg'],
  ['seg', 'bg-raise'],
]

const READ: Pair[] = [
  ...['ink', 'ink-2', 'ink-3'].flatMap((ink) => GROUNDS.map((grounds): Pair => [ink, ...grounds])),
  ['ink', 'seg-on', 'seg', 'bg'],
  ['ink', 'bg-rail'],
  ['ink-2', 'bg-rail'],
  ['ink', 'mark', 'bg'],
  ['ink', 'mark', 'mention-soft', 'bg'],
  ...GROUNDS.filter(([top]) => top !== 'seg').map((grounds): Pair => ['accent-text', ...grounds]),
  ['accent-text', 'accent-soft', 'mention-soft', 'bg'],
  ['accent-text', 'accent-soft', 'bg-hover', 'bg'],
  // A tag in the row that is gone to.
  ['accent-text', 'accent-soft', 'accent-soft', 'bg'],
  ['accent-text', 'bg-rail'],
  ['mention', 'bg'],
  ['mention', 'bg-side'],
  ['mention', 'mention-soft', 'bg'],
  ['mention', 'bg-hover', 'mention-soft', 'bg'],
  ...['ok', 'warn', 'bad'].flatMap((ink): Pair[] => [
    [ink, 'bg'],
    [ink, 'bg-raise'],
    [ink, 'bg-side'],
    [ink, 'bg-hover', 'bg'],
    [ink, 'bg-active', 'bg-raise'],
    [ink, `${ink}-soft`, 'bg'],
    [ink, `${ink}-soft`, 'bg-raise'],
  ]),
  ['bad', 'bad-soft', 'bg-rail'],
  ['badge-ink', 'mention'],
  ['quiet-ink', 'quiet'],
  ['accent-ink', 'accent'],
  ['bad-ink', 'bad'],
  // Notices are the other way round.
  ['bg', 'ink'],
]

const SEEN: Pair[] = [
  ...['bg', 'bg-raise', 'bg-side'].flatMap((ground): Pair[] => [
    ['line-strong', ground],
    ['accent', ground],
    ['ok', ground],
    ['quiet', ground],
  ]),
  ['quiet', 'bg-active', 'bg-side'],
  ['quiet', 'bg-rail'],
  ['mention', 'bg-rail'],
  ['accent', 'bg-rail'],
  ['accent', 'bg-active', 'bg-side'],
]

/** The style sheets of the page and of every component. */
const SHEETS: [string, string][] = [
  ['app.css', CSS],
  ...Object.entries(
    import.meta.glob<string>('./**/*.svelte', { query: '?raw', import: 'default', eager: true }),
  ).flatMap(([path, source]): [string, string][] => {
    const [, sheet] = /<style>([^]*)<\/style>/.exec(source) ?? []
    return sheet === undefined ? [] : [[path, sheet]]
  }),
]

const rulesOf = (sheet: string): (readonly [selector: string, body: string])[] =>
  [...sheet.replaceAll(/\/\*[^]*?\*\//g, '').matchAll(/([^{};]+)\{([^{}]*)\}/g)].map(
    ([, selector = '', body = '']) => [selector.trim(), body] as const,
  )

/** Where segments lie in a track of their own, and the tokens of the chosen one and of the track. */
function segmented(): [where: string, chosen: string, track: string][] {
  return SHEETS.flatMap(([path, sheet]) => {
    const rules = rulesOf(sheet)
    const ground = (body: string): string | undefined => /background: var\(--([\w-]+)\)/.exec(body)?.[1]
    return rules.flatMap(([selector, body]): [string, string, string][] => {
      const track = ground(body)
      if (track === undefined || !/padding: [2-4]px;/.test(body) || !/gap: [1-4]px;/.test(body)) return []
      const marked = rules.filter(
        ([other, its]) => /\.on\b|aria-pressed|aria-checked|:checked/.test(other) && ground(its) !== undefined,
      )
      const chosen = marked.find(([other]) => other.startsWith(selector)) ?? marked[0]
      return [[`${path} ${selector}`, ground(chosen?.[1] ?? '') ?? track, track]]
    })
  })
}

function contrast(tokens: Map<string, Colour>, [ink, ...grounds]: Pair): number {
  const colour = (name: string): Colour => {
    const found = tokens.get(`--${name}`)
    if (!found) throw new Error(`no colour --${name}`)
    return found
  }
  const ground = grounds.map(colour).reduceRight((below, top) => over(top, below))
  return ratio(over(colour(ink), ground), ground)
}

describe.each(['light', 'dark'] as const)('in the %s theme', (theme) => {
  const tokens = tokensOf(theme)
  const short = (pairs: readonly Pair[], least: number): string[] =>
    pairs
      .filter((pair) => contrast(tokens, pair) < least)
      .map((pair) => `${pair.join(' on ')}: ${contrast(tokens, pair).toFixed(2)}`)

  test('everything that is read stands out from its ground', () => {
    expect(short(READ, TEXT)).toEqual([])
  })

  test('borders of fields, badges and marks stand out from theirs', () => {
    expect(short(SEEN, MARK)).toEqual([])
  })

  test('letters can be read on every colour that stands for a person', () => {
    const white: Colour = [255, 255, 255, 1]
    const colours = [...tokens].filter(([name]) => name.startsWith('--av-'))
    expect(colours.length).toBeGreaterThan(6)
    expect(colours.filter(([, colour]) => ratio(white, colour) < TEXT).map(([name]) => name)).toEqual([])
  })

  test.each(segmented())('a chosen segment stands out from its track: %s', (_where, chosen, track) => {
    expect(contrast(tokens, [chosen, track, 'bg'])).toBeGreaterThan(theme === 'dark' ? 1.5 : 1.1)
  })

  test('a warning stands out from an error', () => {
    const ground = (top: string): Colour => over(tokens.get(`--${top}`) as Colour, tokens.get('--bg') as Colour)
    const [warn, bad] = [ground('warn-soft'), ground('bad-soft')]
    expect(Math.hypot(warn[0] - bad[0], warn[1] - bad[1], warn[2] - bad[2]), 'told apart by hue').toBeGreaterThan(14)
  })
})

test('the smallest text is 12 px, and 13 px in Chinese', () => {
  const px = (pattern: RegExp): number => Number(pattern.exec(CSS)?.[1])
  expect(px(/:root \{[^}]*--t-xs: calc\((\d+)px/)).toBe(12)
  expect(px(/:root:lang\(zh\) \{[^}]*--t-xs: calc\((\d+)px/)).toBe(13)
  expect(px(/--t-s: calc\((\d+)px/)).toBeGreaterThanOrEqual(13)
})

test('an English apostrophe in a Chinese window comes from the Latin font', () => {
  const face = /font-family: 'Inter Letters';[^}]*unicode-range:([^;]*);/.exec(CSS)?.[1] ?? ''
  const ranges = [...face.matchAll(/U\+([0-9A-F]+)(?:-([0-9A-F]+))?/g)].map(([, from = '', to = from]) => [
    parseInt(from, 16),
    parseInt(to, 16),
  ])
  const has = (code: number): boolean => ranges.some(([from = 0, to = 0]) => from <= code && code <= to)
  expect(has(0x2019)).toBe(true)
  expect([0x201c, 0x201d, 0x2014, 0x2026].filter(has), 'full width in Chinese').toEqual([])
})
