import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import App from '../App.svelte'
import { opened, press } from '../testing/hands'

afterEach(cleanup)

const region = (): string | undefined =>
  document.activeElement?.closest<HTMLElement>('[data-region]')?.dataset['region']

describe('F6', () => {
  it('goes round the regions of the window, and back with Shift', async () => {
    const window = await opened(fullScene('en', 'light'))
    window.isMembersOverlayOpen = true
    await screen.findAllByTestId('member')
    screen.getByTestId('composer-input').focus()
    for (const next of ['members', 'rail', 'side', 'header', 'messages', 'composer', 'members']) {
      await press('F6')
      await waitFor(() => expect(region()).toBe(next))
    }
    for (const next of ['composer', 'messages', 'header', 'side', 'rail', 'members']) {
      await press('F6', { shiftKey: true })
      await waitFor(() => expect(region()).toBe(next))
    }
  })

  it('begins at the open topic, and comes back to where it was', async () => {
    await opened(fullScene('en', 'light'))
    screen.getByTestId('rail-add').focus()
    await press('F6')
    expect(document.activeElement?.getAttribute('role')).toBe('treeitem')
    await press('F6', { shiftKey: true })
    expect(document.activeElement).toBe(screen.getByTestId('rail-add'))
  })
})

describe('the ring', () => {
  it('is around what a key led to, also after the pointer was used', async () => {
    render(App, { api: fullScene('en', 'light') })
    await fireEvent.pointerDown(document.body)
    expect(document.documentElement.dataset['byKey']).toBeUndefined()
    await fireEvent.keyDown(document.body, { key: 'F6' })
    expect(document.documentElement.dataset['byKey']).toBe('')
  })
})

describe('Escape', () => {
  it('closes the members that lie over a narrow window', async () => {
    const window = await opened(fullScene('en', 'light'))
    window.isMembersOverlayOpen = true
    await screen.findAllByTestId('member')
    screen.getByTestId('toggle-members').focus()
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('members-panel')).toBeNull())
  })
})

describe('a notice', () => {
  it('of marking takes the place of the one before', async () => {
    const window = await opened(fullScene('en', 'light'))
    const { account = '', topic } = window.place ?? {}
    await window.marking.unread(account, topic ?? '')
    expect(window.toasts.shown).toHaveLength(1)
    await window.marking.read(account, { at: 'global' })
    expect(window.toasts.shown, 'one of them holds').toHaveLength(1)
  })

  it('that refuses bears no tick', async () => {
    const window = await opened(fullScene('en', 'light'))
    window.toasts.show('done')
    window.toasts.show('closed', false, null, { isRefusal: true })
    const icons = (await screen.findAllByTestId('toast')).map((toast) =>
      toast.querySelector('svg')?.querySelector('path')?.getAttribute('d'),
    )
    expect(icons[0]).not.toBe(icons[1])
  })
})
