// The composer and input methods: the exact order of events in which each web view ends a composition.
import { cleanup, render, screen } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { i18n } from '../i18n.svelte'
import { ComposerState } from '../state/composer.svelte'
import { StandIn } from '../testing/stand-in'
import { message } from '../testing/views'
import Composer from './Composer.svelte'

afterEach(cleanup)

function setup() {
  i18n.locale = 'en'
  const api = new StandIn()
  const composer = new ComposerState(api, 'a', 't', () => undefined)
  const oneditlast = vi.fn()
  render(Composer, {
    composer,
    topicName: 'guides',
    cannotSpeak: null,
    findMembers: () => Promise.resolve([]),
    oneditlast,
    onsent: () => undefined,
    onrows: () => undefined,
    oncopy: () => undefined,
    onrecall: () => undefined,
  })
  const input = screen.getByTestId<HTMLTextAreaElement>('composer-input')
  const type = (value: string, isComposing: boolean): void => {
    input.value = value
    input.dispatchEvent(new InputEvent('input', { bubbles: true, isComposing }))
  }
  const key = (name: string, more: KeyboardEventInit = {}): boolean =>
    input.dispatchEvent(new KeyboardEvent('keydown', { key: name, bubbles: true, cancelable: true, ...more }))
  const keyup = (name: string): boolean =>
    input.dispatchEvent(new KeyboardEvent('keyup', { key: name, keyCode: 13, bubbles: true }))
  const composition = (kind: string, data = ''): boolean =>
    input.dispatchEvent(new CompositionEvent(kind, { data, bubbles: true }))
  const sent = (): string[] => api.actions.flatMap((action) => (action.type === 'sendMessage' ? [action.text] : []))
  return { api, composer, input, oneditlast, type, key, keyup, composition, sent }
}

type Desk = ReturnType<typeof setup>

describe('what the input is about', () => {
  it('is heard with it: whom is answered, that a message is edited, and that an edit waits', async () => {
    const { composer, input } = setup()
    const described = (): string[] =>
      (input.getAttribute('aria-describedby') ?? '')
        .split(' ')
        .filter((id) => id !== '')
        .map((id) => document.getElementById(id)?.textContent ?? 'nothing')
    const t = i18n.t.composer
    expect(described()).toEqual([])
    const theirs = message('m2', 2, 'hello', { author: { id: 'lin', name: 'Fawn', tag: null } })
    composer.startReply(theirs)
    await tick()
    expect(described()).toEqual([t.replyTo('Fawn')])
    composer.cancelReply()
    await tick()
    expect(described()).toEqual([])
    composer.startEdit(message('m1', 1, 'helo', { isMine: true, actions: ['edit'] }))
    await tick()
    expect(described()).toEqual([t.editing])
    composer.startReply(theirs)
    await tick()
    expect(described()).toEqual([t.replyTo('Fawn'), t.editWaits])
  })

  it('is said when it changes under whoever is in it already', async () => {
    const { composer, input } = setup()
    input.focus()
    composer.startEdit(message('m1', 1, 'helo', { isMine: true, actions: ['edit'] }))
    await tick()
    expect(screen.getByTestId('composer-said').textContent).toBe(i18n.t.composer.editing)
  })
})

/** Writes 你好 with a candidate that Enter chooses, in one turn, as each web view reports it. */
const engines: Record<string, (desk: Desk) => void> = {
  // The key goes to the input method first and is reported as its own; then the composition ends.
  WebKitGTK: ({ key, keyup, composition, type }) => {
    key('Unidentified', { keyCode: 229 })
    composition('compositionstart')
    composition('compositionupdate', 'nihao')
    type('nihao', true)
    key('Unidentified', { keyCode: 229, isComposing: true })
    composition('compositionend', '你好')
    type('你好', false)
    keyup('Enter')
  },
  // Without a preedit in the page only the keys and the finished word are reported.
  'WebKitGTK, preedit in a window of its own': ({ key, keyup, type }) => {
    key('Unidentified', { keyCode: 229 })
    key('ArrowUp', { keyCode: 229 })
    key('Enter', { keyCode: 229 })
    type('你好', false)
    keyup('Enter')
  },
  // The composition ends before the key is reported, which then says that nothing is being composed.
  WKWebView: ({ key, keyup, composition, type }) => {
    composition('compositionstart')
    composition('compositionupdate', 'nihao')
    type('nihao', true)
    key('n', { keyCode: 229, isComposing: true })
    composition('compositionend', '你好')
    type('你好', false)
    key('Enter', { keyCode: 229, isComposing: false })
    keyup('Enter')
  },
  // The same, with the key's own number.
  'WKWebView, older': ({ key, keyup, composition, type }) => {
    composition('compositionstart')
    type('nihao', true)
    composition('compositionend', '你好')
    type('你好', false)
    key('Enter', { keyCode: 13, isComposing: false })
    keyup('Enter')
  },
  WebView2: ({ key, keyup, composition, type }) => {
    key('Process', { keyCode: 229 })
    composition('compositionstart')
    composition('compositionupdate', 'nihao')
    type('nihao', true)
    key('Enter', { keyCode: 229, isComposing: true })
    type('你好', true)
    composition('compositionend', '你好')
    keyup('Enter')
  },
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve))

describe('a composition that Enter ends sends nothing, and the next Enter sends the whole of it', () => {
  it.each(Object.entries(engines))('%s', async (_name, write) => {
    const desk = setup()
    write(desk)
    await turn()
    expect(desk.sent(), 'half a word, or the word unasked').toEqual([])
    expect(desk.input.value).toBe('你好')
    expect(desk.oneditlast, 'an arrow among candidates').not.toHaveBeenCalled()
    desk.key('Enter', { keyCode: 13 })
    expect(desk.sent()).toEqual(['你好'])
  })
})

describe('a composition', () => {
  it('is finished, not cut off, when the button sends', async () => {
    const desk = setup()
    desk.input.focus()
    // The input method hands over the word when the field loses the keyboard.
    desk.input.addEventListener('blur', () => {
      desk.type('你好', false)
      desk.composition('compositionend', '你好')
    })
    desk.composition('compositionstart')
    desk.type('nih', true)
    await tick()
    screen.getByTestId('send').dispatchEvent(new MouseEvent('click', { bubbles: true }))
    await turn()
    expect(desk.sent()).toEqual(['你好'])
  })

  it('that was left without an end does not swallow the next Enter', async () => {
    const desk = setup()
    desk.input.focus()
    desk.composition('compositionstart')
    desk.type('abc', true)
    desk.input.blur()
    desk.input.focus()
    desk.key('Enter', { keyCode: 13 })
    await turn()
    expect(desk.sent()).toEqual(['abc'])
  })

  it('keeps Escape, which drops the candidates and not the reply', () => {
    const desk = setup()
    desk.composer.startReply(message('m1', 1, ''))
    desk.composition('compositionstart')
    desk.key('Escape', { keyCode: 229, isComposing: true })
    expect(desk.composer.reply).not.toBeNull()
  })
})

describe('the marks behind what is written', () => {
  it('run as the field does, so that they lie under their names in text from right to left too', () => {
    setup()
    const direction = screen.getByTestId('composer-input').getAttribute('dir')
    expect(direction).toBe('auto')
    expect(screen.getByTestId('composer-marks').getAttribute('dir')).toBe(direction)
  })
})
