// What the pointer is told and does, for those who go by key or hear the window.
import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { brokenScene, emptyCommunityScene, fullScene } from '../../stories/scenes'
import App from '../App.svelte'
import { i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import type { StandIn } from '../testing/stand-in'
import { press } from '../testing/hands'

afterEach(cleanup)

async function ready(api: StandIn = fullScene('en', 'light')): Promise<WindowState> {
  return await new Promise<WindowState>((resolve) => {
    render(App, { api, onready: resolve })
  })
}
async function rows(api?: StandIn): Promise<WindowState> {
  const window = await ready(api)
  await screen.findAllByTestId('message')
  await waitFor(() => expect(window.timeline?.view).toBeTruthy())
  return window
}
const row = (id: string): HTMLElement => {
  const found = document.querySelector<HTMLElement>(`[data-message-id=${id}]`)
  if (!found) throw new Error(`no row ${id}`)
  return found
}

/** The pointer comes and stays until whatever waits for that has come. */
async function restsOn(element: Element): Promise<void> {
  vi.useFakeTimers()
  try {
    element.dispatchEvent(new PointerEvent('pointerover', { pointerType: 'mouse', bubbles: true }))
    vi.runOnlyPendingTimers()
  } finally {
    vi.useRealTimers()
  }
  await tick()
}

describe('what a title says', () => {
  it('is shown where the keyboard rests, and Escape takes it away and nothing else', async () => {
    const window = await rows()
    window.isMembersOverlayOpen = true
    const [first] = await screen.findAllByTestId('member')
    first?.focus()
    const tip = await screen.findByTestId('tip')
    expect(tip.textContent, 'the account name of a member').toMatch(/^@\S+$/)
    expect(await faults()).toEqual([])
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('tip')).toBeNull())
    expect(document.activeElement, 'the keyboard stays').toBe(first)
  })

  it('goes when the keyboard goes on', async () => {
    await rows()
    screen.getByTestId('open-pins').focus()
    expect((await screen.findByTestId('tip')).textContent, 'of what shows a picture only').toBe(i18n.t.timeline.pins)
    screen.getByTestId('composer-input').focus()
    await waitFor(() => expect(screen.queryByTestId('tip')).toBeNull())
  })

  it('is shown to the pointer in place of the system’s own, and gives way to what a press opens', async () => {
    await rows()
    const pins = screen.getByTestId('open-pins')
    const { title } = pins
    await fireEvent.pointerOver(pins, { pointerType: 'mouse' })
    expect(pins.title, 'the system has nothing to show').toBe('')
    expect((await screen.findByTestId('tip')).textContent).toBe(title)
    await fireEvent.pointerDown(pins)
    await waitFor(() => expect(screen.queryByTestId('tip')).toBeNull())
    await restsOn(pins.firstElementChild ?? pins)
    expect(screen.queryByTestId('tip'), 'not again before the pointer was elsewhere').toBeNull()
    await fireEvent.pointerOver(document.body, { pointerType: 'mouse' })
    expect(pins.title, 'who hears the window still has it').toBe(title)
    await fireEvent.pointerOver(pins, { pointerType: 'mouse' })
    expect((await screen.findByTestId('tip')).textContent).toBe(title)
    await fireEvent.pointerLeave(document)
    expect(pins.title).toBe(title)
  })

  it('is that of what surrounds it, where its own can be read anyway', async () => {
    await rows()
    const row = document.createElement('div')
    row.title = 'No seat'
    const name = document.createElement('span')
    name.title = name.textContent = 'Plans'
    row.append(name)
    document.body.append(row)
    await fireEvent.pointerOver(name, { pointerType: 'mouse' })
    expect((await screen.findByTestId('tip')).textContent).toBe('No seat')
    expect([row.title, name.title], 'nothing for the system').toEqual(['', ''])
    await fireEvent.pointerOver(document.body, { pointerType: 'mouse' })
    expect([row.title, name.title]).toEqual(['No seat', 'Plans'])
    row.remove()
  })

  it('is not shown where it can be read anyway', async () => {
    await rows()
    const name = document.createElement('button')
    name.title = name.textContent = 'Starsea'
    document.body.append(name)
    await restsOn(name)
    expect(screen.queryByTestId('tip')).toBeNull()
    expect(name.title, 'and not by the system either').toBe('')
    name.remove()
  })

  it('of a row is the whole date, in its menu', async () => {
    await rows()
    row('m2').focus()
    await press('Enter')
    const date = within(row('m2')).getByTestId('author').parentElement?.querySelector('time')?.title ?? ''
    expect(date).toContain('2026')
    expect(within(await screen.findByTestId('menu')).getByRole('group', { name: date })).toBeTruthy()
  })
})

describe('the introduction of a topic', () => {
  it('is opened whole where the line has room for its beginning only', async () => {
    const api = fullScene('en', 'light')
    const view = api.topics.get('t3')
    if (!view) throw new Error('no topic')
    const introduction = 'Say your server, rank and time.\nEdit your message when the party is complete.'
    api.topics.set('t3', { ...view, introduction })
    await rows(api)
    const line = screen.getByTestId('introduction')
    await fireEvent.click(line)
    const whole = await screen.findByRole('dialog', { name: i18n.t.person.label(view.name) })
    expect(whole.querySelector('p')?.textContent).toBe(introduction)
    expect(await faults()).toEqual([])
    await press('Escape')
    await waitFor(() => expect(document.activeElement).toBe(line))
  })
})

describe('the letters of a row', () => {
  it('are those of the layout, else those at their place, and never what AltGr writes', async () => {
    const window = await rows()
    row('m2').focus()
    await press('к', { code: 'KeyR' })
    expect(window.composer?.reply?.id, 'R on a Russian layout').toBe('m2')
    window.composer?.cancelReply()
    row('m2').focus()
    await press('r', { code: 'KeyR', modifierAltGraph: true })
    expect(window.composer?.reply).toBeNull()
    await press('Process', { code: 'KeyR', keyCode: 229 })
    expect(window.composer?.reply, 'an input method has it').toBeNull()
  })
})

describe('whoever begins to write', () => {
  it('on a row goes on in the field, with the first letter, where he may', async () => {
    await rows()
    row('m2').focus()
    const event = new KeyboardEvent('keydown', { key: 'h', code: 'KeyH', bubbles: true, cancelable: true })
    row('m2').dispatchEvent(event)
    expect(event.defaultPrevented, 'the letter is written').toBe(false)
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('composer-input')))
  })

  it('presses anywhere in the field but on a button', async () => {
    await rows()
    row('m2').focus()
    await fireEvent.click(screen.getByTestId('send').parentElement as HTMLElement)
    expect(document.activeElement).toBe(screen.getByTestId('composer-input'))
  })
})

describe('the account’s line', () => {
  it('says that its history cannot be opened, not that it is synced', async () => {
    const api = brokenScene('en', 'light', 'damaged')
    const window = await ready(api)
    await window.openPlace({ account: 's9.me', community: null, topic: null })
    await screen.findByTestId('store-trouble')
    const line = screen.getByTestId('me')
    expect(line.textContent).toContain(i18n.t.me.shut)
    expect(line.textContent).not.toContain(i18n.t.me.synced)
  })
})

describe('a community without topics', () => {
  it('says so once', async () => {
    await ready(emptyCommunityScene('en', 'light'))
    await screen.findByTestId('no-topics')
    expect(document.body.textContent.split(i18n.t.tree.empty)).toHaveLength(2)
    expect(within(screen.getByTestId('tree-empty')).getByRole('button', { name: i18n.t.tree.newGroup })).toBeTruthy()
  })
})
