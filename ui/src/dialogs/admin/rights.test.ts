import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fullScene } from '../../../stories/scenes'
import type { RightsView } from '../../api'
import { i18n } from '../../i18n.svelte'
import type { WindowState } from '../../state/window.svelte'
import { faults } from '../../testing/faults'
import type { StandIn } from '../../testing/stand-in'
import { PERMISSIONS, rightsLine, rightsOf } from '../../testing/views'
import { started } from '../../testing/hands'

beforeAll(() => import('../AdminSheet.svelte'))
afterEach(cleanup)

async function opened(api: StandIn): Promise<WindowState> {
  const state = await started(api)
  await waitFor(() => expect(state.tree?.view).toBeTruthy())
  state.dialogs.show({ kind: 'admin', page: 'access' })
  await screen.findByTestId('access-table')
  await waitFor(() => expect(document.querySelector('[data-cell="2:0"]')).not.toBeNull())
  return state
}

const at = (place: string, permission: string): HTMLElement => {
  const cell = document.querySelector<HTMLElement>(`[data-place="${place}"] [data-permission=${permission}]`)
  if (!cell) throw new Error(`${place} ${permission} is not shown`)
  return cell
}
const key = (key: string, more = {}) => fireEvent.keyDown(document.activeElement ?? document.body, { key, ...more })
const focused = (): string | undefined => (document.activeElement as HTMLElement | null)?.dataset.cell
const sets = (api: StandIn) => api.actions.filter((action) => action.type === 'setAccess')
const setting = (permission: string, value: boolean | null) => ({
  type: 'setAccess',
  community: 'c1',
  place: { level: 'topic', id: 't4' },
  memberGroup: 'everyone',
  permission,
  value,
})

describe('the table of rights', () => {
  it('denies in one step: nothing is granted on the way', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    await fireEvent.click(at('topic:t4', 'speak'))
    const menu = await screen.findByTestId('right-menu')
    expect(document.activeElement, 'what holds has the keyboard').toBe(screen.getByTestId('right-inherit'))
    expect(within(menu).getByTestId('right-inherit').textContent).toContain('from the whole community')
    expect(await faults()).toEqual([])
    expect(sets(api), 'opening the menu sends nothing').toEqual([])
    await fireEvent.click(screen.getByTestId('right-deny'))
    expect(sets(api)).toEqual([setting('speak', false)])
    await waitFor(() => expect(at('topic:t4', 'speak').dataset.value).toBe('deny'))
    expect(screen.queryByTestId('right-menu')).toBeNull()
    await waitFor(() => expect(document.activeElement).toBe(at('topic:t4', 'speak')))
  })

  it('sets the wanted value by its letter, on the cell and in its menu, and what holds already not again', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    at('topic:t4', 'pin').focus()
    await key('d')
    await waitFor(() => expect(at('topic:t4', 'pin').dataset.value).toBe('deny'))
    await key('D')
    await key('a')
    await waitFor(() => expect(at('topic:t4', 'pin').dataset.value).toBe('allow'))
    await fireEvent.click(at('topic:t4', 'pin'))
    await screen.findByTestId('right-menu')
    await key('i')
    await waitFor(() => expect(at('topic:t4', 'pin').dataset.value).toBe('inherit'))
    expect(sets(api)).toEqual([setting('pin', false), setting('pin', true), setting('pin', null)])
  })

  it.each([
    ['Russian', 'в', 'ф', 'ш'],
    ['Zhuyin', 'ㄎ', 'ㄇ', 'ㄛ'],
  ])('sets it by the places of the letters on %s keys, on the cell and in its menu', async (_, d, a, i) => {
    const api = fullScene('en', 'light')
    await opened(api)
    at('topic:t4', 'pin').focus()
    await key(d, { code: 'KeyD' })
    await waitFor(() => expect(at('topic:t4', 'pin').dataset.value).toBe('deny'))
    await key(a, { code: 'KeyA' })
    await waitFor(() => expect(at('topic:t4', 'pin').dataset.value).toBe('allow'))
    await fireEvent.click(at('topic:t4', 'pin'))
    await screen.findByTestId('right-menu')
    await key(i, { code: 'KeyI' })
    await waitFor(() => expect(at('topic:t4', 'pin').dataset.value).toBe('inherit'))
  })

  it('leaves a place alone where the layout has another letter', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    at('topic:t4', 'pin').focus()
    // Dvorak: E stands where D is on a US keyboard.
    await key('e', { code: 'KeyD' })
    expect(sets(api)).toEqual([])
  })

  it('sends nothing when it is opened, walked through and closed', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    for (const page of ['overview', 'groups', 'members', 'invites', 'access']) {
      await fireEvent.click(screen.getByTestId(`page-${page}`))
    }
    await waitFor(() => expect(document.querySelector('[data-cell="2:0"]')).not.toBeNull())
    await fireEvent.click(at('topic:t4', 'speak'))
    await screen.findByTestId('right-menu')
    await key('Escape')
    await waitFor(() => expect(screen.queryByTestId('right-menu')).toBeNull())
    await fireEvent.click(screen.getByTestId('sheet-close'))
    await waitFor(() => expect(screen.queryByTestId('dialog-admin')).toBeNull())
    // What was in view behind it is read.
    expect(api.actions.filter((action) => action.type !== 'advance')).toEqual([])
  })

  it('shows in each cell what holds there, faintly where it is inherited', async () => {
    await opened(fullScene('en', 'light'))
    expect(at('topic:t2', 'speak').dataset).toMatchObject({ value: 'allow', effect: 'held' })
    expect(at('topic:t1', 'speak').dataset).toMatchObject({ value: 'inherit', effect: 'missing' })
    expect(at('topic:t1', 'speak').getAttribute('aria-label')).toBe(
      'Speak, Release notes: Denied, from the group “Announcements”',
    )
    expect(at('topic:t4', 'speak').dataset).toMatchObject({ value: 'inherit', effect: 'held' })
    expect(at('topic:t4', 'pin').getAttribute('aria-label')).toContain(i18n.t.admin.givenNowhere)
    expect(at('community', 'kick')).toBeTruthy()
    expect(document.querySelector('[data-place="topic:t4"] [data-permission=kick]')).toBeNull()
    expect(await faults(screen.getByTestId('dialog-admin'))).toEqual([])
  })

  it('does not offer what may not be set', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    const cell = at('group:g3', 'speak')
    expect(cell.getAttribute('aria-disabled')).toBe('true')
    await fireEvent.click(cell)
    cell.focus()
    await key('a')
    expect(screen.queryByTestId('right-menu')).toBeNull()
    expect(sets(api)).toEqual([])
  })

  it('reads the rights of the member group that is chosen', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    await fireEvent.click(document.querySelector('[data-member-group=reg]') as HTMLElement)
    await waitFor(() => expect(api.calls).toContain('rightsView reg'))
    await waitFor(() =>
      expect(screen.getByTestId('access-table').getAttribute('aria-label')).toContain('Abyss regulars'),
    )
    await waitFor(() => expect(document.querySelector('[data-cell="6:0"]')).not.toBeNull())
    at('topic:t4', 'pin').focus()
    await key('a')
    expect(sets(api)).toEqual([{ ...setting('pin', true), memberGroup: 'reg' }])
  })
})

describe('a table of 5,000 topics', () => {
  function huge(): StandIn {
    const api = fullScene('en', 'light')
    const topics = Array.from({ length: 5_000 }, (_, n) => rightsLine({ level: 'topic', id: `n${n}` }, `topic ${n}`))
    const lines = [rightsLine({ level: 'community' }, 'c'), rightsLine({ level: 'group', id: 'g' }, 'Lobby'), ...topics]
    const rights: RightsView = { memberGroup: 'everyone', permissions: PERMISSIONS, lines }
    api.rights = rights
    return api
  }

  it('has only what is in view in the page', async () => {
    await opened(huge())
    expect(document.querySelectorAll('[data-place]').length).toBeLessThan(100)
    expect(screen.getByTestId('access-table').getAttribute('aria-rowcount')).toBe('5004')
  })

  it('lets every cell be reached by arrows, Home, End, PageUp and PageDown', async () => {
    await opened(huge())
    document.querySelector<HTMLElement>('[data-cell="0:0"]')?.focus()
    for (const [pressed, more, cell] of [
      ['ArrowRight', {}, '0:1'],
      ['End', {}, '0:20'],
      ['ArrowRight', {}, '0:20'],
      ['ArrowDown', {}, '1:20'],
      ['Home', {}, '1:0'],
      ['PageDown', {}, '11:0'],
      ['PageUp', {}, '1:0'],
      ['End', { ctrlKey: true }, '5001:20'],
      ['ArrowDown', {}, '5001:20'],
      ['Home', { ctrlKey: true }, '0:0'],
    ] as const) {
      await key(pressed, more)
      await waitFor(() => expect(focused(), pressed).toBe(cell))
    }
    const stops = document.querySelectorAll('[data-testid=access-table] button[tabindex="0"]')
    expect(stops.length, 'Tab reaches one of them').toBe(1)
  })

  it('stays where it is when the last places vanish', async () => {
    const api = huge()
    await opened(api)
    document.querySelector<HTMLElement>('[data-cell="0:0"]')?.focus()
    await key('End', { ctrlKey: true })
    await waitFor(() => expect(focused()).toBe('5001:20'))
    api.rights = { ...api.rights, lines: api.rights.lines.slice(0, 3) }
    api.tell({ type: 'access', account: 's1.me', community: 'c1' })
    await waitFor(() => expect(screen.getByTestId('access-table').getAttribute('aria-rowcount')).toBe('5'))
    expect(document.querySelectorAll('[data-testid=access-table] button[tabindex="0"]').length).toBe(1)
  })
})

describe('what is read for the table', () => {
  it('is never overtaken by an older answer', async () => {
    const api = fullScene('en', 'light')
    await opened(api)
    const old = api.rights
    const answers: ((view: RightsView) => void)[] = []
    api.rightsView = () => new Promise<RightsView>((resolve) => answers.push(resolve))
    api.tell({ type: 'access', account: 's1.me', community: 'c1' })
    await waitFor(() => expect(answers.length).toBe(1))
    api.tell({ type: 'access', account: 's1.me', community: 'c1' })
    answers[0]?.(old)
    await waitFor(() => expect(answers.length).toBe(2))
    const [first, ...others] = old.lines
    if (!first) throw new Error('no lines')
    answers[1]?.({ ...old, lines: [{ ...first, deny: rightsOf('speak'), allow: 0 }, ...others] })
    await waitFor(() => expect(at('community', 'speak').dataset.value).toBe('deny'))
    expect(answers.length).toBe(2)
  })
})
