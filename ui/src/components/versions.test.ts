import { cleanup, fireEvent, render, screen } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import App from '../App.svelte'
import { i18n } from '../i18n.svelte'
import { faults } from '../testing/faults'

afterEach(cleanup)

describe('a server of another version', () => {
  it.each(['zh-CN', 'en'] as const)('is said to be newer or older in %s, and can be tried again', async (locale) => {
    for (const isServerNewer of [true, false]) {
      const api = fullScene(locale, 'light')
      const connection = { state: 'otherVersion' as const, isServerNewer, retryAt: Date.now() + 60_000 }
      api.app = { ...api.app, accounts: api.app.accounts.map((one) => ({ ...one, connection })) }
      render(App, { api })
      const banner = await screen.findByTestId('banner-other-version')
      const words = isServerNewer ? i18n.t.me.serverNewerBanner : i18n.t.me.serverOlderBanner
      expect(banner.textContent).toContain(words)
      expect(screen.queryByTestId('banner-signed-out'), 'nobody was signed out').toBeNull()
      expect(await faults(banner)).toEqual([])
      await fireEvent.click(screen.getByTestId('banner-hurry'))
      expect(api.calls).toContain('hurry')
      cleanup()
    }
  })
})
