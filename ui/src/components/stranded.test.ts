import { cleanup, fireEvent, render, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { strandedScene } from '../../stories/scenes'
import App from '../App.svelte'
import type { StandIn } from '../testing/stand-in'

const MENTIONED = 'AZig0AAAcACAAAAAAAAAAQ'

/** The window, with what it puts on the clipboard. */
function open(lang: 'zh-CN' | 'en' = 'en'): { api: StandIn; copied: ReturnType<typeof vi.fn> } {
  const copied = vi.fn(() => Promise.resolve())
  Object.defineProperty(navigator, 'clipboard', { value: { writeText: copied }, configurable: true })
  const api = strandedScene(lang, 'light')
  render(App, { api })
  return { api, copied }
}

/** Changes what is stranded in the open account. */
function write(api: StandIn, text: string): void {
  const [first, ...others] = api.app.accounts
  if (!first) throw new Error('the scene has an account')
  const stranded = first.stranded.map((draft) => (draft.topic === 'g1' ? { ...draft, text } : draft))
  const rejected = first.rejected.map((one) => ({ ...one, text }))
  const mentioned = [{ id: MENTIONED, name: 'Kestrel' }]
  api.app = { ...api.app, accounts: [{ ...first, stranded, rejected, mentioned }, ...others] }
  api.tell({ type: 'app' })
}

afterEach(() => {
  cleanup()
  Reflect.deleteProperty(navigator, 'clipboard')
  localStorage.clear()
})

describe('a draft whose topic isn’t available', () => {
  it('names the topic as far as it is known', async () => {
    open()
    const region = await screen.findByRole('region', { name: 'Drafts whose topic isn’t available' })
    expect(region.textContent).toContain('Draft for “scrims”, which isn’t available')
    expect(region.textContent).toContain('Draft for a topic that isn’t available')
    cleanup()
    open('zh-CN')
    await screen.findByText('“开黑约战”的草稿，这个话题已无法使用')
  })

  it('is copied whole, with the names of those whom it mentions', async () => {
    const { api, copied } = open()
    const long = 'word '.repeat(400)
    const named = 'Copy: Draft for “scrims”, which isn’t available'
    write(api, `<@${MENTIONED}> and <@everyone>: ${long}`)
    await screen.findByText(/^@Kestrel and @everyone/)
    const shown = screen.getAllByTestId('stranded-draft')[0]?.textContent ?? ''
    expect(shown.length, 'no line is that long').toBeLessThan(600)
    await fireEvent.click(screen.getByRole('button', { name: named }))
    await screen.findByText('Copied')
    expect(copied).toHaveBeenCalledExactlyOnceWith(`@Kestrel and @everyone: ${long}`)
  })

  it('may be an edit of a message, and is discarded as one', async () => {
    const { api } = open()
    const [first, ...others] = api.app.accounts
    if (!first) throw new Error('the scene has an account')
    const stranded = first.stranded.slice(0, 1).map((draft) => ({ ...draft, message: 'm7' }))
    api.app = { ...api.app, accounts: [{ ...first, stranded }, ...others] }
    api.tell({ type: 'app' })
    const saved = vi.spyOn(api, 'saveEdit')
    await fireEvent.click(await screen.findByRole('button', { name: /^Discard: Edit in “scrims”/ }))
    await fireEvent.click(await screen.findByTestId('confirm-submit'))
    await waitFor(() => expect(saved).toHaveBeenCalledExactlyOnceWith('s1.me', 'g1', 'm7', null))
  })

  it('says so when the system does not take it', async () => {
    const { copied } = open()
    copied.mockRejectedValue(new Error('no'))
    await fireEvent.click((await screen.findAllByTestId('stranded-copy'))[0] as HTMLElement)
    await screen.findByText('Couldn’t be copied')
    expect(screen.queryByText('Copied')).toBeNull()
  })

  it('is discarded when the person says yes, since it is nowhere else', async () => {
    const { api } = open()
    const saved = vi.spyOn(api, 'saveDraft')
    const named = 'Discard: Draft for “scrims”, which isn’t available'
    await fireEvent.click(await screen.findByRole('button', { name: named }))
    await screen.findByText('Discard this draft? There’s no other copy.')
    expect(saved).not.toHaveBeenCalled()
    await fireEvent.click(screen.getByTestId('confirm-submit'))
    await waitFor(() => expect(saved).toHaveBeenCalledExactlyOnceWith('s1.me', 'g1', { text: '', replyTo: null }))
  })
})

describe('a refused message whose topic isn’t available', () => {
  it('is copied whole, and other refused commands have nothing to copy', async () => {
    const { api, copied } = open()
    const long = 'word '.repeat(400)
    write(api, long)
    const row = await screen.findByTestId('rejected-command')
    await waitFor(() => expect(row.textContent).toContain('word word'))
    expect(row.textContent.length, 'no line is that long').toBeLessThan(700)
    await fireEvent.click(within(row).getByRole('button', { name: 'Copy' }))
    await waitFor(() => expect(copied).toHaveBeenCalledExactlyOnceWith(long))
    const [first, ...others] = api.app.accounts
    if (!first) throw new Error('the scene has an account')
    const rejected = first.rejected.map((one) => ({ ...one, method: 'topic.create', subject: 'scrims', text: null }))
    api.app = { ...api.app, accounts: [{ ...first, rejected }, ...others] }
    api.tell({ type: 'app' })
    await screen.findByText('Couldn’t create the topic “scrims”')
    expect(screen.queryByTestId('rejected-copy')).toBeNull()
  })
})
