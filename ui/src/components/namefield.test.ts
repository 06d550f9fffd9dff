import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Refused } from '../api'
import { i18n } from '../i18n.svelte'
import App from '../App.svelte'
import NameDialog from '../dialogs/NameDialog.svelte'
import type { WindowState } from '../state/window.svelte'
import { StandIn } from '../testing/stand-in'

beforeEach(() => (i18n.locale = 'en'))
afterEach(cleanup)

const open = (run = vi.fn(() => Promise.resolve())) => {
  render(NameDialog, {
    props: { title: 'New group', label: 'Name', action: 'Create', testid: 'd', run, onclose: vi.fn() },
  })
  return {
    run,
    field: screen.getByTestId<HTMLInputElement>('name-input'),
    said: () => screen.getByTestId('name-input-length').textContent,
    button: screen.getByTestId<HTMLButtonElement>('name-submit'),
  }
}
const type = (field: HTMLInputElement, value: string) => fireEvent.input(field, { target: { value } })

describe('a field for a name', () => {
  it('takes sixty Chinese characters and says when little room is left', async () => {
    const { field, said, button } = open()
    await type(field, '名'.repeat(20))
    expect(said(), 'nothing while there is room').toBe('')
    await type(field, '名'.repeat(59))
    expect(said()).toBe('1 character left')
    await type(field, '名'.repeat(60))
    expect(button.disabled).toBe(false)
  })

  it('says by how much there is too much, cuts nothing and sends nothing', async () => {
    const { field, said, button } = open()
    await type(field, '名'.repeat(63))
    expect(said()).toBe('Too long by 3 characters')
    expect(field.value, 'nothing is cut').toHaveLength(63)
    expect(button.disabled).toBe(true)
    expect(field.getAttribute('aria-invalid')).toBe('true')
    await type(field, '👨‍👩‍👧‍👦'.repeat(10))
    expect(said()).toContain('10 bytes')
  })

  it.each(['\u200B', '\u3164', '\u2800', '\u202E', '\uFE0F'])(
    'refuses %j, which shows nothing, in words',
    async (typed) => {
      const { field, said, button } = open()
      await type(field, typed)
      expect(said()).toBe(i18n.t.field.unseen)
      expect(button.disabled).toBe(true)
    },
  )

  it('keeps what was typed when it is refused, and drops the reason when it is typed over', async () => {
    const { field, button } = open(
      vi.fn(() => Promise.reject(new Refused({ code: 'offline', message: '', rejection: null }))),
    )
    await type(field, 'Raids')
    await fireEvent.submit(button.closest('form') as HTMLFormElement)
    expect(await screen.findByText(i18n.t.errors.offline)).toBeTruthy()
    expect(field.value).toBe('Raids')
    await type(field, 'Raids 2')
    expect(screen.queryByText(i18n.t.errors.offline)).toBeNull()
  })
})

describe('a display name in the settings', () => {
  it('stays in its field when it is refused', async () => {
    const api = new StandIn()
    let window: WindowState | undefined
    render(App, { api, onready: (state: WindowState) => (window = state) })
    await waitFor(() => expect(window).toBeDefined())
    window?.dialogs.show({ kind: 'settings' })
    await fireEvent.click(await screen.findByText(i18n.t.settings.account))
    const field = await screen.findByTestId<HTMLInputElement>('settings-display-name')
    api.refusal = 'bad_characters'
    await type(field, 'Solstice II')
    await fireEvent.click(screen.getByTestId('settings-save-name'))
    expect(await screen.findByText(i18n.t.errors.bad_characters)).toBeTruthy()
    expect(field.value, 'to be mended, not to be typed again').toBe('Solstice II')
  })
})
