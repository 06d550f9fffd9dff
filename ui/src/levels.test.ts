import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../stories/scenes'
import App from './App.svelte'
import { i18n } from './i18n.svelte'
import { endOf, levelInWords } from './levels'
import type { StandIn } from './testing/stand-in'

afterEach(cleanup)

describe('a level for a while', () => {
  const evening = new Date(2026, 10, 23, 21, 30).getTime()

  it('ends after its hours, or tomorrow in the morning, or never', () => {
    expect(endOf('forGood', evening)).toBeNull()
    expect(endOf('oneHour', evening)).toBe(new Date(2026, 10, 23, 22, 30).getTime())
    expect(endOf('eightHours', evening)).toBe(new Date(2026, 10, 24, 5, 30).getTime())
    expect(endOf('untilTomorrow', evening)).toBe(new Date(2026, 10, 24, 8, 0).getTime())
    const endOfMonth = new Date(2026, 10, 30, 3, 0).getTime()
    expect(endOf('untilTomorrow', endOfMonth), 'over the end of a month').toBe(new Date(2026, 11, 1, 8, 0).getTime())
  })
})

describe('the level of a topic', () => {
  const openMenu = async (): Promise<StandIn> => {
    const api = fullScene('en', 'light')
    api.level = { set: 'inherit', until: null, holds: 'nothing', decidedBy: { by: 'group', name: 'Party finder' } }
    render(App, { api })
    const topic = await waitFor(() => {
      const found = document.querySelector<HTMLElement>('[data-line-id=t4]')
      if (!found) throw new Error('the topic is not there yet')
      return found
    })
    await fireEvent.keyDown(topic, { key: 'F10', shiftKey: true })
    await waitFor(() => expect(screen.queryByRole('menu')).not.toBeNull())
    return api
  }

  it('says in its menu what holds and who decides', async () => {
    await openMenu()
    expect(screen.getByRole('menu').textContent).toContain('Nothing, set for the group “Party finder”')
    expect(levelInWords({ set: 'all', until: null, holds: 'all', decidedBy: { by: 'topic' } })).toBe(
      'All messages: set for this topic',
    )
  })

  it('is chosen in a menu that stays, so that a time can be chosen as well', async () => {
    const api = await openMenu()
    await fireEvent.click(screen.getByRole('menuitem', { name: i18n.t.levels.title }))
    const inherit = await screen.findByRole('menuitemradio', { name: i18n.t.levels.asGroup })
    expect(inherit.getAttribute('aria-checked')).toBe('true')
    expect(screen.queryByRole('menuitemradio', { name: i18n.t.levels.durations.oneHour }), 'nothing is set').toBeNull()

    api.level = { set: 'mentions', until: null, holds: 'mentions', decidedBy: { by: 'topic' } }
    await fireEvent.click(screen.getByRole('menuitemradio', { name: i18n.t.levels.names.mentions }))
    const place = { at: 'topic', community: 'c1', topic: 't4' }
    expect(api.actions.at(-1)).toEqual({ type: 'setLevel', place, level: 'mentions', until: null })

    const before = Date.now()
    await fireEvent.click(await screen.findByRole('menuitemradio', { name: i18n.t.levels.durations.oneHour }))
    const last = api.actions.at(-1)
    if (last?.type !== 'setLevel') throw new Error('no level was set')
    expect(last.level).toBe('mentions')
    expect(last.until).toBeGreaterThanOrEqual(before + 60 * 60_000)
    await waitFor(() => expect(screen.queryByRole('menu')).not.toBeNull())
  })
})
