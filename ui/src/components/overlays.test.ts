import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import axe from 'axe-core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fullScene } from '../../stories/scenes'
import App from '../App.svelte'
import type { MenuItem } from '../state/dialogs.svelte'
import type { WindowState } from '../state/window.svelte'
import { press } from '../testing/hands'

afterEach(cleanup)

async function ready(): Promise<WindowState> {
  const found = await new Promise<WindowState>((resolve) => {
    render(App, { api: fullScene('en', 'light'), onready: resolve })
  })
  await screen.findByTestId('tree')
  await screen.findAllByTestId('message')
  return found
}

const item = (label: string, more: Partial<Extract<MenuItem, { kind: 'item' }>> = {}): MenuItem => ({
  kind: 'item',
  label,
  run: () => undefined,
  ...more,
})

describe('a menu', () => {
  it('reads its titles and explanations to a screen reader', async () => {
    const window = await ready()
    window.menus.openAt(
      { x: 10, y: 10 },
      [
        { kind: 'title', label: 'Member groups' },
        item('Moderators', { isChecked: true }),
        { kind: 'line' },
        item('Notifications…', { note: 'Nothing, because of the group “Work”' }),
        item('Delete group', { whyNot: 'It still has topics' }),
      ],
      'Party finder',
    )
    const menu = await screen.findByTestId('menu')
    const group = within(menu).getByRole('group', { name: 'Member groups' })
    expect(within(group).getByRole('menuitemcheckbox', { name: 'Moderators' })).toBeTruthy()
    const described = (name: string): string | undefined => {
      const id = within(menu).getByRole('menuitem', { name }).getAttribute('aria-describedby')
      return id === null ? undefined : (document.getElementById(id)?.textContent ?? undefined)
    }
    expect(described('Notifications…')).toBe('Nothing, because of the group “Work”')
    expect(described('Delete group')).toBe('It still has topics')
    const { violations } = await axe.run(menu, {
      rules: { 'color-contrast': { enabled: false }, region: { enabled: false } },
    })
    expect(violations.map((one) => one.id)).toEqual([])
  })

  it('keeps what cannot be chosen, says why, and does nothing', async () => {
    const window = await ready()
    const run = vi.fn()
    window.menus.openAt({ x: 10, y: 10 }, [item('Delete group', { whyNot: 'It still has topics', run })], 'Group')
    const off = await screen.findByRole('menuitem', { name: 'Delete group' })
    expect(off.getAttribute('aria-disabled')).toBe('true')
    await fireEvent.click(off)
    expect(run).not.toHaveBeenCalled()
    expect(screen.queryByTestId('menu')).not.toBeNull()
  })

  it('goes to what begins with the typed letter, and around with the arrows', async () => {
    const window = await ready()
    window.menus.openAt({ x: 10, y: 10 }, [item('Reply'), item('Edit'), item('Recall'), item('Pin')], 'Message')
    const names = (): string | undefined => document.activeElement?.querySelector('.label')?.textContent
    await waitFor(() => expect(names()).toBe('Reply'))
    await press('p')
    expect(names()).toBe('Pin')
    await press('ArrowDown')
    expect(names()).toBe('Reply')
    await press('ArrowUp')
    expect(names()).toBe('Pin')
  })

  it('chooses by the key that stands beside a line, by its place on another layout, and never by AltGr', async () => {
    const window = await ready()
    const chosen: string[] = []
    const open = () =>
      window.menus.openAt(
        { x: 10, y: 10 },
        [
          item('Reply', { key: 'R', run: () => chosen.push('reply') }),
          item('Recall', { key: 'Del', run: () => chosen.push('recall') }),
          item('Pin', { key: 'P', whyNot: 'Not here', run: () => chosen.push('pin') }),
        ],
        'Message',
      )
    for (const key of [
      { key: 'r', code: 'KeyR' },
      { key: 'к', code: 'KeyR' },
      { key: 'Delete', code: 'Delete' },
      { key: 'Backspace', code: 'Backspace' },
    ]) {
      open()
      await screen.findByTestId('menu')
      await fireEvent.keyDown(document.activeElement ?? document.body, key)
      await waitFor(() => expect(screen.queryByTestId('menu')).toBeNull())
    }
    expect(chosen).toEqual(['reply', 'reply', 'recall', 'recall'])
    open()
    await screen.findByTestId('menu')
    await press('p')
    expect(screen.queryByTestId('menu'), 'it cannot be chosen').not.toBeNull()
    const event = new KeyboardEvent('keydown', { key: 'r', code: 'KeyR', bubbles: true, modifierAltGraph: true })
    document.activeElement?.dispatchEvent(event)
    expect(chosen).toHaveLength(4)
  })

  it('gives the keyboard to where things are written when what opened it is gone', async () => {
    const window = await ready()
    const opener = document.createElement('button')
    document.body.append(opener)
    opener.focus()
    window.menus.openAt(opener, [item('One')], 'Menu')
    await screen.findByTestId('menu')
    opener.remove()
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('menu')).toBeNull())
    expect(document.activeElement).not.toBe(document.body)
  })
})

describe('dialogs over dialogs', () => {
  it('darken the window once, and what lies below rests', async () => {
    const window = await ready()
    window.dialogs.show({ kind: 'settings' })
    const below = await screen.findByTestId('dialog-settings')
    window.dialogs.show({ kind: 'shortcuts' })
    const above = await screen.findByTestId('dialog-shortcuts')
    const layers = [below, above].map((dialog) => dialog.parentElement)
    await waitFor(() => expect(layers.map((layer) => layer?.classList.contains('veil'))).toEqual([false, true]))
    expect(layers.map((layer) => layer?.hasAttribute('inert'))).toEqual([true, false])
    expect(document.querySelector('.page')?.hasAttribute('inert'), 'the window rests as well').toBe(true)
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('dialog-shortcuts')).toBeNull())
    expect(screen.queryByTestId('dialog-settings'), 'only the topmost closes').not.toBeNull()
    expect(layers[0]?.classList.contains('veil')).toBe(true)
  })

  it('give the keyboard back to what opened them', async () => {
    const window = await ready()
    const opener = screen.getByTestId('open-switcher')
    opener.focus()
    window.dialogs.show({ kind: 'shortcuts' })
    const dialog = await screen.findByTestId('dialog-shortcuts')
    await waitFor(() => expect(dialog.contains(document.activeElement)).toBe(true))
    await press('Escape')
    await waitFor(() => expect(document.activeElement).toBe(opener))
  })
})

describe('the keyboard', () => {
  it('goes to the neighbour of what was taken away', async () => {
    await ready()
    const list = document.createElement('div')
    const [a, b, c] = ['a', 'b', 'c'].map(() => document.createElement('button'))
    list.append(...[a, b, c].filter((one) => one !== undefined))
    document.body.append(list)
    b?.focus()
    b?.remove()
    await waitFor(() => expect(document.activeElement).toBe(c))
    c?.remove()
    await waitFor(() => expect(document.activeElement).toBe(a))
    list.remove()
    await waitFor(() => expect(document.activeElement).not.toBe(document.body))
  })

  it('comes back to a button that was disabled for a moment', async () => {
    await ready()
    const form = document.createElement('div')
    const [input, button] = [document.createElement('input'), document.createElement('button')]
    form.append(input, button)
    document.body.append(form)
    button.focus()
    button.disabled = true
    button.blur()
    await waitFor(() => expect(document.activeElement).toBe(input))
    button.disabled = false
    await waitFor(() => expect(document.activeElement).toBe(button))
    form.remove()
  })
})

describe('notices', () => {
  it('stand in regions that are there from the start and outlive a dialog', async () => {
    const window = await ready()
    const region = screen.getByTestId('errors')
    expect(region.getAttribute('role')).toBe('alert')
    window.toasts.show('It did not work', true)
    const notice = await within(region).findByTestId('toast')
    window.dialogs.show({ kind: 'shortcuts' })
    await screen.findByTestId('dialog-shortcuts')
    expect(screen.getByTestId('errors')).toBe(region)
    expect(within(region).getByTestId('toast'), 'the same one: it is not read out again').toBe(notice)
    expect(notice.closest('[inert]'), 'it can be closed while a dialog is open').toBeNull()
  })

  it('stay until they are closed when they are errors, and for a while otherwise', async () => {
    const window = await ready()
    vi.useFakeTimers()
    try {
      window.toasts.show('Saved')
      window.toasts.show('It did not work', true)
      vi.advanceTimersByTime(60_000)
      expect(window.toasts.shown.map((toast) => toast.text)).toEqual(['It did not work'])
      window.toasts.show('Marked as read', false, { label: 'Undo', run: () => undefined })
      const offered = window.toasts.shown.at(-1)
      vi.advanceTimersByTime(6_000)
      expect(window.toasts.shown).toContain(offered)
      window.toasts.hold(offered?.id ?? 0)
      vi.advanceTimersByTime(60_000)
      expect(window.toasts.shown, 'while somebody is at it').toContain(offered)
      window.toasts.letGo(offered?.id ?? 0)
      vi.advanceTimersByTime(60_000)
      expect(window.toasts.shown).not.toContain(offered)
    } finally {
      vi.useRealTimers()
    }
  })
})
