import { cleanup, render, screen } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { i18n } from '../i18n.svelte'
import PersonName from './PersonName.svelte'

beforeEach(() => (i18n.locale = 'en'))
afterEach(cleanup)

const named = (name: string, more: object = {}): HTMLElement =>
  render(PersonName, { props: { name, ...more } }).container as HTMLElement

describe("a person's name", () => {
  it('is isolated in direction and holds nothing that turns it', () => {
    expect(named('Bob\u202Egnp.ecila').querySelector('bdi')?.textContent).toBe('Bobgnp.ecila')
  })

  it('has its mark and the account name outside of it, both named for a screen reader', () => {
    const shown = named('Маrk ✓', { accountName: 'maark99', mark: 'staff' })
    expect(shown.querySelector('bdi')?.textContent, 'no name can imitate the mark').toBe('Маrk ✓')
    expect(screen.getByTestId('name-mark').textContent).toBe(i18n.t.names.staff)
    expect(screen.getByTestId('account-name').textContent).toBe('account name @maark99')
  })

  it('has neither where there is nothing to tell', () => {
    const shown = named('Anna')
    expect(shown.textContent).toBe('Anna')
  })

  it('is said to be that of a deleted account when there is none', () => {
    expect(named('').textContent).toBe(i18n.t.security.deletedName)
  })
})
