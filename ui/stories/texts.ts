// What the dialect of messages shows, one of everything.
import type { Block, Inline, LinkDoubt, LinkView } from '../src/api'
import type { StandIn } from '../src/testing/stand-in'
import { message, paragraph, timeline } from '../src/testing/views'
import { fullScene, type Tongue } from './scenes'

const text = (value: string): Inline => ({ type: 'text', text: value })
const line = (...inlines: Inline[]): Block => ({ type: 'paragraph', lang: null, inlines })
const bold = (value: string): Inline => ({ type: 'bold', inlines: [text(value)] })
const code = (value: string): Inline => ({ type: 'code', inlines: [text(value)] })
const hidden = (...inlines: Inline[]): Inline => ({ type: 'spoiler', inlines })
const item = (mark: string, ...blocks: Block[]): { mark: string; value: number | null; blocks: Block[] } => ({
  mark,
  value: Number.parseInt(mark) || null,
  blocks,
})
const link = (value: string, place: string, isNamed: boolean, doubts: LinkDoubt[] = []): Inline => ({
  type: 'link',
  target: { href: `https://${place}/`, kind: 'web', place, isNamed, doubts },
  inlines: [text(value)],
})

/** A link that deceives in every way. */
export const doubtful: LinkView = {
  href: 'https://bank.example@xn--80ak6aa92e.example/login?next=%E2%80%AEgnp.exe',
  kind: 'web',
  place: 'xn--80ak6aa92e.example',
  isNamed: false,
  doubts: ['otherText', 'userInfo', 'lookalike', 'hidden'],
}

/** A screen of code, tables, lists, links and spoilers. */
export const textsScene = (lang: Tongue, theme: 'light' | 'dark'): StandIn => scene(lang, theme, 0, 4)

/** A screen of quotations, directions, indented source, and a message that is folded. */
export const moreTextsScene = (lang: Tongue, theme: 'light' | 'dark'): StandIn => scene(lang, theme, 4, 6)

function scene(lang: Tongue, theme: 'light' | 'dark', from: number, to: number): StandIn {
  const api = fullScene(lang, theme)
  const s = (zh: string, en: string): string => (lang === 'en' ? en : zh)
  const cell = (value: string): Inline[] => [text(value)]
  const long = Array.from({ length: 18 }, (_, at) => s(`第 ${at + 1} 行`, `Line ${at + 1}`)).join('\n')
  const bodies: Block[][] = [
    [
      { type: 'code', language: 'rust', inlines: [text('fn main() {\n    println!("hi ")\n}')] },
      { type: 'code', language: '', inlines: [text(`${'a'.repeat(160)}\n`), { type: 'name', name: 'Kestrel' }] },
    ],
    [
      {
        type: 'table',
        rows: [
          [cell(s('名称', 'Name')), cell(s('说明', 'What')), cell('#')],
          [cell('alpha'), [bold(s('重要', 'Important')), text(s('，先做', ', first'))], cell('1')],
          [cell('beta'), [code('a|b')], []],
        ],
      },
    ],
    [
      {
        type: 'list',
        isNumbered: true,
        items: [
          item('3.', paragraph(s('同意', 'Agreed'))),
          item('7)', paragraph(s('不同意', 'Not agreed')), {
            type: 'list',
            isNumbered: false,
            items: [item('-', paragraph(s('太晚', 'Too late'))), item('-', paragraph(s('太远', 'Too far')))],
          }),
          item('1986.', paragraph(s('那是个好年份', 'A great year'))),
        ],
      },
    ],
    [
      line(
        text(s('见', 'See ')),
        link(s('这里', 'here'), 'docs.example', true),
        text(s('，或 ', ', or ')),
        link('https://x.example/', 'x.example', false),
        text(s('；小心 ', '; beware of ')),
        link('https://bank.example', 'evil.example', false, ['otherText']),
      ),
      line(text(s('凶手是', 'It was ')), hidden(text(s('管家', 'the butler'))), text(s('！', '!'))),
    ],
    [
      { type: 'heading', level: 1, lang: null, inlines: [text(s('公告', 'Notice'))] },
      {
        type: 'quote',
        blocks: [paragraph(s('周六开会吗？', 'Saturday?')), { type: 'quote', blocks: [paragraph('?')] }],
      },
      line(text('שלום לכולם, מה שלומכם?\nhello again\nمرحبا **5** kg')),
      { type: 'gap', lines: 1 },
      { type: 'rule' },
      { type: 'gap', lines: 1 },
      line(text('    def f(x):\n        return x * 2')),
    ],
    [line(text(long))],
  ]
  const start = Date.now() - 3_600_000
  const authors = [
    { id: 'kes', name: 'Kestrel', tag: null },
    { id: 'fawn', name: s('林间鹿', 'Fawn'), tag: null },
  ]
  api.topics.set(
    't3',
    timeline({
      name: s('招募队友', 'looking-for-group'),
      rows: bodies.slice(from, to).map((blocks, at) =>
        message(`x${at + 1}`, at + 1, 'x', {
          author: authors[at % 2] ?? { id: '', name: '', tag: null },
          sentAt: start + at * 60_000,
          isFolded: from + at === bodies.length - 1,
          blocks,
        }),
      ),
    }),
  )
  return api
}
