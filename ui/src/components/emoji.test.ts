import { cleanup, fireEvent, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { SettingsPatch } from '../api'
import { i18n } from '../i18n.svelte'
import { emojiState } from '../state/emoji.svelte'
import { faults } from '../testing/faults'
import { settings } from '../testing/views'
import EmojiPicker from './EmojiPicker.svelte'
import Reactions from './Reactions.svelte'

beforeEach(() => {
  i18n.locale = 'en'
  emojiState.take(settings(), () => undefined)
})
afterEach(cleanup)

async function open() {
  const onpick = vi.fn<(emoji: string) => void>()
  const onclose = vi.fn()
  render(EmojiPicker, { props: { at: new DOMRect(400, 500, 24, 24), opener: document.body, onpick, onclose } })
  await waitFor(() => expect(emojiState.set).not.toBeNull())
  const field = screen.getByTestId<HTMLInputElement>('emoji-search')
  const key = (name: string) => fireEvent.keyDown(field, { key: name })
  const chosen = () => document.getElementById(field.getAttribute('aria-activedescendant') ?? '')
  return { onpick, onclose, field, key, chosen }
}

describe('the emoji picker', () => {
  it('is named for a screen reader, and so is each emoji', async () => {
    const { field, chosen } = await open()
    expect(document.activeElement, 'typing searches at once').toBe(field)
    expect(chosen()?.getAttribute('aria-label')).toBe('thumbs up')
    expect(chosen()?.getAttribute('role')).toBe('gridcell')
    expect(await faults(screen.getByTestId('emoji-picker'))).toEqual([])
    i18n.locale = 'zh-CN'
    await waitFor(() => expect(screen.getByTestId('emoji-name').textContent).toMatch(/\p{Script=Han}/u))
  })

  it('finds by words of both languages, and Enter takes the first', async () => {
    const { field, key, onpick, onclose } = await open()
    await fireEvent.input(field, { target: { value: '饺子' } })
    await key('Enter')
    expect(onpick).toHaveBeenCalledWith('🥟')
    expect(onclose).toHaveBeenCalled()
  })

  it('is walked with arrows, line by line', async () => {
    const { key, chosen } = await open()
    await key('ArrowRight')
    expect(chosen()?.dataset.emoji).toBe(emojiState.recent[1])
    await key('ArrowDown')
    expect(chosen()?.dataset.emoji, 'the line below').toBe(emojiState.recent[10])
    await key('ArrowDown')
    expect(chosen()?.dataset.emoji, 'the first line of the next group, in the same column').toBe(
      emojiState.set?.all.filter((emoji) => emoji.group === 'smileys')[1]?.key,
    )
    await key('ArrowUp')
    await key('ArrowUp')
    await key('ArrowLeft')
    expect(chosen()?.dataset.emoji).toBe(emojiState.recent[0])
  })

  it('has only the lines in view in the page', async () => {
    await open()
    expect(document.querySelectorAll('[role=gridcell]').length).toBeLessThan(200)
  })

  it('gives the tone that was chosen, and what was used stands first the next time', async () => {
    const { field, key, onpick } = await open()
    await fireEvent.click(screen.getByTestId('emoji-tone-dark'))
    await fireEvent.input(field, { target: { value: 'waving hand' } })
    await key('Enter')
    expect(onpick).toHaveBeenCalledWith('👋🏿')
    cleanup()
    const again = await open()
    expect(again.chosen()?.dataset.emoji).toBe('👋🏿')
  })

  it('begins with what was used before a restart, and has what is chosen kept', async () => {
    const kept: SettingsPatch[] = []
    emojiState.take(settings({ recentEmoji: ['🥟'], skinTone: 'dark' }), (patch) => kept.push(patch))
    const { chosen, key, field } = await open()
    expect(chosen()?.dataset.emoji).toBe('🥟')
    expect(screen.getByTestId('emoji-tone-dark').getAttribute('aria-checked')).toBe('true')
    await fireEvent.click(screen.getByTestId('emoji-tone-none'))
    await fireEvent.input(field, { target: { value: 'waving hand' } })
    await key('Enter')
    expect(kept).toEqual([{ skinTone: 'none' }, { usedEmoji: '👋' }])
  })

  it('says so when nothing is found, and Escape leaves it', async () => {
    const { field, key, onclose } = await open()
    await fireEvent.input(field, { target: { value: 'qqqq' } })
    expect(screen.getByText(i18n.t.emoji.none)).toBeTruthy()
    await key('Enter')
    expect(onclose).not.toHaveBeenCalled()
    await key('Escape')
    expect(onclose).toHaveBeenCalled()
  })
})

describe('a reaction', () => {
  it('is called by its name once the names are there', async () => {
    const reactions = [{ key: '❤️', count: 3, isMine: false }]
    render(Reactions, { props: { reactions, canReact: true, onreact: vi.fn(), onpick: vi.fn() } })
    const button = screen.getByTestId('reaction')
    await fireEvent.focusIn(button)
    await waitFor(() => expect(button.getAttribute('aria-label')).toContain('red heart'))
  })
})
