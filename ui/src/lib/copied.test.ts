import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { i18n } from '../i18n.svelte'
import { message, paragraph, timeline } from '../testing/views'
import { copied, typedText } from './copied'
import { itemsOf } from './rows'

const at = (day: number, hour: number, minute: number): number => new Date(2024, 10, day, hour, minute).getTime()
const fawn = { id: 'fawn', name: 'Fawn', tag: null }
const kes = { id: 'kes', name: 'Kestrel', tag: null }
const ANN = 'AZgAAAAAcACAAAAAAAAAAQ'
const OWLS = '&AZgAAAAAcACAAAAAAAAAAg'
const GONE = 'AZgAAAAAcACAAAAAAAAAAw'
const mentioned = [
  { id: ANN, name: 'Ann' },
  { id: OWLS, name: 'Owls' },
  { id: GONE, name: null },
]
const CODE = '```lua\nlocal boss = find("abyss")\n\nboss:pull(3)\n```'

const rows = [
  message('m1', 1, 'tonight at **nine**', { author: fawn, sentAt: at(22, 20, 14), isEdited: true }),
  message('m2', 2, 'I can heal', { author: kes, sentAt: at(22, 20, 15) }),
  message('m3', 3, CODE, { author: kes, sentAt: at(22, 20, 16) }),
  message('m4', 4, '', { author: fawn, sentAt: at(22, 20, 17), recalled: { by: 'Fawn', isByAuthor: true } }),
  message('m5', 5, `hello <@${ANN}>`, { author: fawn, sentAt: at(23, 8, 0) }),
]
const items = itemsOf(timeline({ rows, hasBefore: false }))

/** Rows as they stand in the page, with what is around their texts. */
function page(): HTMLElement {
  const root = document.createElement('div')
  const add = (parent: HTMLElement, name: string, text: string, more: object = {}): HTMLElement => {
    const element = Object.assign(document.createElement(name), more)
    element.append(text)
    parent.append(element)
    return element
  }
  for (const row of rows) {
    const article = add(root, 'article', '')
    article.dataset.messageId = row.id
    if (row.recalled) {
      add(article, 'span', `${row.author.name} recalled a message`)
      continue
    }
    const who = add(article, 'div', '')
    add(who, 'button', row.author.name)
    add(who, 'time', '20:14')
    const text = add(article, 'div', '', { className: 'text' })
    add(text, 'p', row.text.slice(0, 8))
    add(text, 'p', row.text.slice(8))
    add(text, 'span', '(edited)', { className: 'edited' })
    add(text, 'button', 'Copy code')
    add(article, 'button', '🔥 7')
  }
  document.body.append(root)
  return root
}

const wordsOf = (root: HTMLElement, row: string): Node =>
  root.querySelector(`[data-message-id=${row}] p`)?.firstChild ?? root

const select = (from: Node, fromAt: number, to: Node, toAt: number): Selection => {
  const selection = getSelection()
  selection?.setBaseAndExtent(from, fromAt, to, toAt)
  return selection as Selection
}

describe('a copied conversation', () => {
  let root: HTMLElement
  beforeEach(() => {
    i18n.locale = 'en'
    root = page()
  })
  afterEach(() => root.remove())

  it('is names, times and texts as they were typed: no labels, each day once', () => {
    const all = select(root, 0, root, root.childNodes.length)
    expect(copied(root, all, items, mentioned)).toBe(
      [
        'Fawn – 20:14',
        'tonight at **nine**',
        '',
        'Kestrel – 20:15',
        'I can heal',
        CODE,
        '',
        'Fawn recalled a message',
        '',
        'Saturday, 23 November 2024',
        '',
        'Fawn – 08:00',
        'hello @Ann',
      ].join('\n'),
    )
  })

  it('tells two of one name apart', () => {
    const rows = [
      message('m1', 1, 'hi', { author: { ...fawn, accountName: 'fawn' }, sentAt: at(22, 20, 14) }),
      message('m4', 4, '', {
        author: { ...fawn, accountName: 'fawn' },
        sentAt: at(22, 20, 17),
        recalled: { by: 'Fawn', byAccountName: 'fawn_2', isByAuthor: false },
      }),
    ]
    const copy = copied(root, select(root, 0, root, 4), itemsOf(timeline({ rows })), mentioned)
    expect(copy).toBe('Fawn (@fawn) – 20:14\nhi\n\nFawn (@fawn_2) recalled a message by Fawn (@fawn)')
  })

  it('begins and ends where the selection does', () => {
    const first = wordsOf(root, 'm1')
    const last = wordsOf(root, 'm2')
    expect(copied(root, select(first, 3, last, 5), items, mentioned)).toBe(
      'Fawn – 20:14\night\nat **nine**\n\nKestrel – 20:15\nI can',
    )
  })

  it('of some words of one message is left to the web view', () => {
    const words = wordsOf(root, 'm1')
    expect(copied(root, select(words, 0, words, 4), items, mentioned)).toBeNull()
  })

  it('has the rows between that are not in the page', () => {
    root.querySelector('[data-message-id=m2]')?.remove()
    expect(copied(root, select(root, 0, root, root.childNodes.length), items, mentioned)).toContain('I can heal')
  })

  it('has names for the ids of mentions, in code and beyond the fold as well', () => {
    const typed = (text: string): string =>
      typedText(message('x', 1, text, { isFolded: true, blocks: [paragraph('')] }), mentioned)
    expect(typed(`hello <@${ANN}>`)).toBe('hello @Ann')
    expect(typed(`\`<@${ANN}>\`\n${'a\n'.repeat(40)}<@${OWLS}>`)).toBe(`\`@Ann\`\n${'a\n'.repeat(40)}@Owls`)
    expect(typed(`<@everyone> <@${GONE}> <@nobody>`)).toBe('@everyone @AZgAAAAA <@nobody>')
    expect(typed(`\\<@${ANN}>`), 'what was written by hand').toBe(`<@${ANN}>`)
  })
})
