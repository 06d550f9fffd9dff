import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { tick } from 'svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import type { AppView } from '../api'
import { click, fill, opened, started } from '../testing/hands'
import type { StandIn } from '../testing/stand-in'

afterEach(cleanup)

const active = (): string | null | undefined => document.activeElement?.getAttribute('data-testid')

/** A scene whose accounts are there only once somebody has come in. */
function before(): { api: StandIn; all: AppView } {
  const api = fullScene('en', 'light')
  const all = api.app
  api.codes = ['ABCD-EFGH-JKMN-PQRS']
  api.app = { ...all, accounts: [], lastPlace: null }
  for (const way of ['join', 'host'] as const) {
    const come = api[way] as (...args: unknown[]) => Promise<never>
    api[way] = (...args: unknown[]) => {
      api.app = { ...all, lastPlace: null }
      return come(...args)
    }
  }
  return { api, all }
}

async function keep(): Promise<void> {
  await screen.findByTestId('dialog-codes')
  await screen.findByTestId('timeline')
  await click('codes-kept')
  screen.getByTestId('codes-done').focus()
  await click('codes-done')
}

async function fillJoin(): Promise<void> {
  await screen.findByTestId('join-form')
  await fill('join-link', 'starsea.example')
  await click('join-look')
  await screen.findByTestId('join-peek')
  await fill('join-name', 'me')
  await fill('join-display-name', 'Me')
  await fill('join-password', 'correct horse')
  screen.getByTestId('join-submit').focus()
  await click('join-submit')
}

describe('the keyboard after coming in', () => {
  it('is where one writes once the codes of the first account are kept', async () => {
    await started(before().api)
    await click('first-join')
    await fillJoin()
    await keep()
    await waitFor(() => expect(active()).toBe('composer-input'))
  })

  it('is there as well after another account was added from the rail', async () => {
    const api = fullScene('en', 'light')
    api.codes = ['ABCD-EFGH-JKMN-PQRS']
    const window = await opened(api)
    screen.getByTestId('rail-add').focus()
    window.dialogs.show({ kind: 'join', link: '' })
    await fillJoin()
    await keep()
    await waitFor(() => expect(screen.queryByTestId('dialog-codes')).toBeNull())
    await waitFor(() => expect(active(), 'not at what opened the first dialog').toBe('composer-input'))
  })

  it('waits beside the buttons while the topics have not come', async () => {
    const { api } = before()
    let come = (): void => undefined
    const tree = api.treeView
    api.treeView = (...args) => new Promise<void>((resolve) => (come = resolve)).then(() => tree(...args))
    await started(api)
    await click('first-join')
    await fillJoin()
    await screen.findByTestId('dialog-codes')
    api.tell({ type: 'app' })
    await screen.findByTestId('window')
    await click('codes-kept')
    screen.getByTestId('codes-done').focus()
    await click('codes-done')
    await waitFor(() => expect(document.querySelector('.page[inert]')).toBeNull())
    await waitFor(() => expect(document.activeElement?.tagName, 'nothing that a blank presses').toBe('MAIN'))
    come()
    await waitFor(() => expect(active()).toBe('composer-input'))
  })
})

describe('what is typed where nothing takes it', () => {
  it.each(['rail-add', 'open-pins', 'body'])('goes to where one writes, from %s', async (from) => {
    const window = await opened(fullScene('en', 'light'))
    const at = from === 'body' ? document.body : screen.getByTestId(from)
    if (from === 'body') (document.activeElement as HTMLElement | null)?.blur()
    else at.focus()
    await fireEvent.keyDown(at, { key: 'H', code: 'KeyH', shiftKey: true })
    await waitFor(() => expect(active()).toBe('composer-input'))
    expect(window.dialogs.open).toEqual([])
  })

  it('stays where it has a meaning, or is a shortcut', async () => {
    const window = await opened(fullScene('en', 'light'))
    const add = screen.getByTestId('rail-add')
    add.focus()
    for (const key of [{ key: 'c', ctrlKey: true }, { key: ' ' }, { key: 'Enter' }, { key: 'Tab' }]) {
      await fireEvent.keyDown(add, key)
      await tick()
      expect(active(), key.key).toBe('rail-add')
    }
    window.isMembersOverlayOpen = true
    const find = await screen.findByTestId('members-search')
    find.focus()
    await fireEvent.keyDown(find, { key: 'l' })
    await tick()
    expect(active()).toBe('members-search')
    window.dialogs.show({ kind: 'shortcuts' })
    await screen.findByTestId('dialog-shortcuts')
    await fireEvent.keyDown(document.activeElement ?? document.body, { key: 'l' })
    await tick()
    expect(active()).not.toBe('composer-input')
  })
})
