import { cleanup, render, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../stories/scenes'
import App from './App.svelte'
import Skeleton from './components/Skeleton.svelte'

const sources = Object.entries(
  import.meta.glob<string>('./**/*.svelte', { query: '?raw', import: 'default', eager: true }),
)

/** The conditions that a polite region of a source stands under. */
function conditionsOf(source: string): string[] {
  const markup = source.replace(/<script[\s\S]*?<\/script>/g, '').replace(/<!--[\s\S]*?-->/g, '')
  const open: string[] = []
  const found: string[] = []
  for (const [part] of markup.matchAll(/\{#if [^}]*\}|\{\/if\}|role="status"|aria-live="polite"/g)) {
    if (part.startsWith('{#if')) open.push(part)
    else if (part === '{/if}') open.pop()
    else if (open.length > 0) found.push(open.join(' '))
  }
  return found
}

/** Where a region comes with what it is in, long before it has anything to say. */
const STAND: Record<string, RegExp> = {
  // A step of the first start, or a page of the settings.
  './components/FirstStart.svelte': /step (?:=|!)== 'choose'/,
  './dialogs/SettingsDialog.svelte': /shown\?\.id/,
}

afterEach(cleanup)

describe('a region that says what comes into it', () => {
  it.each(sources)('stands before its words: %s', (path, source) => {
    const left = conditionsOf(source).filter((conditions) => !STAND[path]?.test(conditions))
    expect(left, 'a region that comes with its words is mostly not said').toEqual([])
  })

  it('would be found if it came with them', () => {
    expect(conditionsOf('{#if a}<p role="status">{b}</p>{/if}')).toEqual(['{#if a}'])
    expect(conditionsOf('<p role="status">{#if a}{b}{/if}</p>')).toEqual([])
  })

  it('says that something is being loaded, once that takes a while', async () => {
    render(App, { api: fullScene('en', 'light') })
    const region = await screen.findByTestId('waiting')
    await waitFor(() => expect(screen.queryAllByTestId('skeleton')).toEqual([]))
    expect(region.textContent).toBe('')
    const { unmount } = render(Skeleton, { kind: 'tree' })
    expect(region.textContent, 'quick answers are not worth a word').toBe('')
    await waitFor(() => expect(region.textContent).toBe('Loading…'))
    unmount()
    await waitFor(() => expect(region.textContent).toBe(''))
  })
})
