import { afterEach, describe, expect, it, vi } from 'vitest'
import { keysAsWritten, keysOf, letterOf, shortcutOf } from './shortcuts'

type Held = KeyboardEventInit & { altGr?: boolean }
const press = (key: string, code: string, held: Held = {}): KeyboardEvent =>
  new KeyboardEvent('keydown', { key, code, modifierAltGraph: held.altGr ?? false, ...held })
const ctrl = { ctrlKey: true }

afterEach(() => vi.restoreAllMocks())

describe('shortcuts', () => {
  it('work by letter where the layout has it, wherever its key is', () => {
    expect(shortcutOf(press('k', 'KeyK', ctrl))).toBe('switcher')
    expect(shortcutOf(press('u', 'KeyU', ctrl))).toBe('members')
    // Dvorak: K stands where V is on a US keyboard.
    expect(shortcutOf(press('k', 'KeyV', ctrl))).toBe('switcher')
    expect(shortcutOf(press('t', 'KeyK', ctrl)), 'what is written there is another letter').toBeNull()
    expect(shortcutOf(press('K', 'KeyK', ctrl)), 'with Caps Lock').toBe('switcher')
  })

  it.each([
    ['Russian', 'л', 'KeyK'],
    ['Greek', 'κ', 'KeyK'],
    ['Hebrew', 'ל', 'KeyK'],
    ['Zhuyin', 'ㄜ', 'KeyK'],
    ['a Chinese input method', 'Process', 'KeyK'],
  ])('work by place on %s keys', (_, key, code) => {
    expect(shortcutOf(press(key, code, ctrl))).toBe('switcher')
  })

  it('are reached where a sign needs Shift', () => {
    expect(shortcutOf(press('/', 'Slash', ctrl)), 'US').toBe('shortcuts')
    expect(shortcutOf(press('/', 'Digit7', { ...ctrl, shiftKey: true })), 'German').toBe('shortcuts')
    expect(shortcutOf(press('/', 'Period', { ...ctrl, shiftKey: true })), 'French').toBe('shortcuts')
    expect(shortcutOf(press(',', 'KeyM', ctrl)), 'French').toBe('settings')
    expect(shortcutOf(press('б', 'Comma', ctrl)), 'Russian').toBe('settings')
  })

  it('are never fired by AltGr, which writes', () => {
    expect(shortcutOf(press('ę', 'KeyE', { altGr: true }))).toBeNull()
    expect(shortcutOf(press('@', 'KeyQ', { altGr: true, ...ctrl, altKey: true }))).toBeNull()
    expect(shortcutOf(press('k', 'KeyK', { altGr: true, ...ctrl }))).toBeNull()
    expect(shortcutOf(press('k', 'KeyK', { ...ctrl, altKey: true })), 'what Windows makes of AltGr').toBeNull()
    expect(shortcutOf(press('ArrowUp', 'ArrowUp', { altGr: true, altKey: true }))).toBeNull()
    expect(letterOf(press('€', 'KeyE', { altGr: true }))).toBeNull()
  })

  it('take Control here and Command on a Mac, and leave the other one alone', () => {
    expect(shortcutOf(press('k', 'KeyK', { metaKey: true })), 'the Windows key').toBeNull()
    expect(keysOf('switcher')).toBe('Ctrl K')
    expect(keysOf('previousUnread')).toBe('Alt Shift ↑')
    vi.spyOn(navigator, 'platform', 'get').mockReturnValue('MacIntel')
    expect(shortcutOf(press('k', 'KeyK', { metaKey: true }))).toBe('switcher')
    expect(shortcutOf(press('k', 'KeyK', ctrl)), 'it deletes to the end of the line').toBeNull()
    expect(shortcutOf(press('u', 'KeyU', ctrl))).toBe('markUnread')
    expect(shortcutOf(press('Dead', 'KeyU', { altKey: true })), 'it writes ü').toBeNull()
    expect(keysOf('switcher')).toBe('⌘K')
    expect(keysOf('previousUnread')).toBe('⌥⇧↑')
    expect(keysOf('markCommunityRead')).toBe('⌃⇧R')
    expect(keysAsWritten('Delete'), 'the only one on a portable one').toBe('⌫')
  })

  it('ask for what they stand for', () => {
    expect(shortcutOf(press('ArrowDown', 'ArrowDown', { altKey: true, shiftKey: true }))).toBe('nextUnread')
    expect(shortcutOf(press('r', 'KeyR', { altKey: true }))).toBe('markRead')
    expect(shortcutOf(press('R', 'KeyR', { altKey: true, shiftKey: true }))).toBe('markCommunityRead')
    expect(shortcutOf(press('к', 'KeyR', { altKey: true }))).toBe('markRead')
    expect(shortcutOf(press('F6', 'F6'))).toBe('region')
    expect(shortcutOf(press('F6', 'F6', { shiftKey: true }))).toBe('regionBefore')
    expect(shortcutOf(press('k', 'KeyK'))).toBeNull()
    expect(shortcutOf(press('k', 'KeyK', { ...ctrl, isComposing: true }))).toBeNull()
  })
})

describe('the letter of a key', () => {
  it('is the same for a row in Chinese mode as without', () => {
    expect(letterOf(press('e', 'KeyE'))).toBe('e')
    expect(letterOf(press('у', 'KeyE'))).toBe('e')
    expect(letterOf(press('+', 'BracketRight'))).toBe('+')
    expect(letterOf(press('Enter', 'Enter'))).toBeNull()
    expect(letterOf(press('F6', 'F6'))).toBeNull()
    expect(letterOf(press('ArrowUp', 'ArrowUp'))).toBeNull()
  })

  it('is none while a word is composed: nothing half-happens', () => {
    expect(letterOf(press('Process', 'KeyE', { keyCode: 229 }))).toBeNull()
  })
})
