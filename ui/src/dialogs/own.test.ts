import { cleanup, fireEvent, screen, waitFor, within } from '@testing-library/svelte'
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { i18n } from '../i18n.svelte'
import type { StandIn } from '../testing/stand-in'
import { member } from '../testing/views'
import { click, fill, opened, sent } from '../testing/hands'

beforeAll(() => import('./AdminSheet.svelte'))
afterEach(cleanup)

const plain = (element: Element | null | undefined): string => (element?.textContent ?? '').replace(/[⁦-⁩]/g, '')
const gone = (testid: string) => waitFor(() => expect(screen.queryByTestId(testid)).toBeNull())

describe('a question', () => {
  it('does it once, however often it is pressed, and closes when it is done', async () => {
    const window = await opened(fullScene('en', 'light'))
    let done: () => void = () => undefined
    const run = vi.fn(() => new Promise<void>((resolve) => (done = resolve)))
    window.dialogs.show({ kind: 'confirm', text: 'Sure?', action: 'Delete', run })
    const button = await screen.findByTestId('confirm-submit')
    await fireEvent.click(button)
    expect(button).toHaveProperty('disabled', true)
    await fireEvent.submit(button.closest('form') as HTMLFormElement)
    expect(run).toHaveBeenCalledTimes(1)
    done()
    await gone('dialog-confirm')
  })

  it('stays and says why when it is refused, so that it can be tried again', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    api.refusal = 'not_found'
    const run = () => api.submit('s1.me', { type: 'deleteGroup', community: 'c1', group: 'g1' })
    window.dialogs.show({ kind: 'confirm', text: 'Sure?', action: 'Delete', run })
    await fireEvent.click(await screen.findByTestId('confirm-submit'))
    expect((await screen.findByTestId('form-error')).textContent).toBe(i18n.t.errors.not_found)
    expect(screen.getByTestId('confirm-submit')).toHaveProperty('disabled', false)
    await click('confirm-submit')
    await gone('dialog-confirm')
  })

  it('waits for what has to be typed, and takes it with blanks around', async () => {
    const window = await opened(fullScene('en', 'light'))
    const run = vi.fn(() => Promise.resolve())
    window.dialogs.show({ kind: 'confirm', text: 'Sure?', action: 'Dissolve', typed: 'Starsea Players', run })
    const button = await screen.findByTestId('confirm-submit')
    await waitFor(() => expect(document.activeElement).toBe(screen.getByTestId('confirm-typed')))
    for (const wrong of ['', 'Starsea', 'starsea players']) {
      await fill('confirm-typed', wrong)
      expect(button, wrong).toHaveProperty('disabled', true)
    }
    await fill('confirm-typed', ' Starsea Players ')
    await fireEvent.click(button)
    await gone('dialog-confirm')
    expect(run).toHaveBeenCalledTimes(1)
  })

  it('begins at leaving it, wherever that button stands', async () => {
    const window = await opened(fullScene('en', 'light'))
    window.dialogs.show({ kind: 'confirm', text: 'Sure?', action: 'Delete', run: () => Promise.resolve() })
    const cancel = await screen.findByTestId('cancel')
    expect(cancel.autofocus).toBe(true)
    await waitFor(() => expect(document.activeElement).toBe(cancel))
  })
})

describe('the overview of a community', () => {
  const shown = async (api: StandIn) => {
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'overview' })
    await screen.findByTestId('admin-name')
  }

  it('saves a name and an introduction, and no name that shows nothing', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    expect(screen.getByTestId('admin-save')).toHaveProperty('disabled', true)
    await fill('admin-name', '  ')
    expect(screen.getByTestId('admin-save')).toHaveProperty('disabled', true)
    await fill('admin-name', ' Starsea Guild ')
    await fill('admin-introduction', 'For everybody')
    await click('admin-save')
    await waitFor(() =>
      expect(sent(api)).toEqual([
        { type: 'editCommunity', community: 'c1', name: 'Starsea Guild', introduction: 'For everybody' },
      ]),
    )
  })

  it('lets the owner hand it over or dissolve it, by its name', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    expect(screen.queryByTestId('admin-leave')).toBeNull()
    await click('admin-dissolve')
    await screen.findByTestId('confirm-typed')
    expect(screen.getByTestId('confirm-submit')).toHaveProperty('disabled', true)
    await fill('confirm-typed', 'Starsea Players')
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toEqual([{ type: 'dissolveCommunity', community: 'c1' }]))
    await click('admin-transfer')
    expect(await screen.findByTestId('dialog-transfer')).toBeTruthy()
  })

  it('lets others leave, and asks first', async () => {
    const api = fullScene('en', 'light')
    const whole = api.trees.get('c1')
    if (whole) api.trees.set('c1', { ...whole, isOwner: false })
    await shown(api)
    expect(screen.queryByTestId('admin-dissolve')).toBeNull()
    expect(screen.queryByTestId('admin-transfer')).toBeNull()
    await click('admin-leave')
    await screen.findByTestId('dialog-confirm')
    expect(sent(api)).toEqual([])
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toEqual([{ type: 'leaveCommunity', community: 'c1' }]))
  })
})

describe('the page of invites', () => {
  const shown = async (api: StandIn) => {
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'invites' })
    return screen.findAllByTestId('invite')
  }

  it('says of each who made it, how often and how long it can be used, and offers what is over to nobody', async () => {
    const [first, second, third] = await shown(fullScene('en', 'light'))
    expect(plain(first)).toMatch(/22 of 25 uses left · Expires in (23|24) hours/)
    expect(plain(first)).toContain('Created by Fawn')
    expect(plain(second)).toContain('Any number of uses, 40 so far · Never expires')
    expect(plain(third)).toContain('Used up · Expired')
    expect(
      [first, second, third].map((one) => within(one as HTMLElement).queryByTestId('invite-row-copy') !== null),
    ).toEqual([true, true, false])
    expect(plain(first), 'the link itself says nothing to a person').not.toContain('tulou://')
  })

  it('copies the link of a row', async () => {
    const api = fullScene('en', 'light')
    const write = vi.fn<(text: string) => Promise<void>>(() => Promise.resolve())
    Object.defineProperty(navigator, 'clipboard', { configurable: true, value: { writeText: write } })
    const [first] = await shown(api)
    await fireEvent.click(within(first as HTMLElement).getByTestId('invite-row-copy'))
    await waitFor(() => expect(write.mock.calls).toEqual([[api.invites[0]?.link]]))
  })

  it('revokes one after asking, and says why when that is refused', async () => {
    const api = fullScene('en', 'light')
    const revoke = api.revokeInvite
    await shown(api)
    await fireEvent.click(screen.getAllByTestId('invite-revoke')[0] as HTMLElement)
    await screen.findByTestId('dialog-confirm')
    expect(api.calls).not.toContain('revokeInvite')
    api.revokeInvite = () => Promise.reject(new Error('no link'))
    await click('confirm-submit')
    expect(await screen.findByTestId('form-error')).toBeTruthy()
    expect(screen.getAllByTestId('invite')).toHaveLength(4)
    api.revokeInvite = revoke
    await click('confirm-submit')
    await gone('dialog-confirm')
    expect(screen.getAllByTestId('invite').map((one) => one.dataset.code)).toEqual(['B', 'C', 'D'])
  })

  it('lists a new one as soon as it is made', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    await click('invite-create')
    await waitFor(() => expect(screen.getAllByTestId('invite')).toHaveLength(5))
    expect(screen.getByTestId<HTMLInputElement>('invite-link').value).toContain('tulou://join/')
  })
})

describe('the seats of a closed topic', () => {
  const shown = async (api: StandIn) => {
    const window = await opened(api)
    const topic = window.tree?.view?.groups.flatMap((group) => group.topics).find((one) => one.id === 't7')
    if (!topic) throw new Error('there is no t7')
    window.dialogs.show({ kind: 'seats', topic })
    await screen.findAllByTestId('seats-member')
    return window
  }
  const names = () => screen.getAllByTestId('seats-member').map((one) => one.dataset.name)
  const seatOf = (name: string) => {
    const row = screen.getAllByTestId('seats-member').find((one) => one.dataset.name === name)
    return row?.querySelector<HTMLElement>('[data-testid=seat]') ?? null
  }

  it('begins with who has one, and gives and takes them', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    expect(names()).toEqual(['Fawn', 'Kestrel'])
    expect(seatOf('Fawn'), 'the owner has all seats').toBeNull()
    await fireEvent.click(seatOf('Kestrel') as HTMLElement)
    await waitFor(() => expect(names()).toEqual(['Fawn']))
    await fireEvent.click(screen.getByRole('radio', { name: i18n.t.seats.everybody }))
    await waitFor(() => expect(names()).toContain('Aster'))
    const give = seatOf('Aster') as HTMLElement
    expect(give.getAttribute('aria-label')).toBe(`${i18n.t.seats.give}: Aster`)
    await fireEvent.click(give)
    await waitFor(() => expect(seatOf('Aster')?.dataset.has).toBe('true'))
    expect(sent(api)).toMatchObject([
      { type: 'setSeat', topic: 't7', member: 'kes', on: false },
      { type: 'setSeat', topic: 't7', member: 'aster', on: true },
    ])
  })

  it('has a button of its own name for each of two who are called alike', async () => {
    const api = fullScene('en', 'light')
    const alike = ['wei', 'wei2'].map((id) => ({ ...member(id, 'Wei'), accountName: id, looksAlike: true }))
    api.members = { ...api.members, sections: [{ memberGroup: null, name: '', count: 2, members: alike }] }
    api.seats = new Set(['wei', 'wei2'])
    await shown(api)
    const labels = screen.getAllByTestId('seat').map((one) => one.getAttribute('aria-label'))
    expect(new Set(labels).size).toBe(2)
  })

  it('finds among thousands, in both lists by what was typed once', async () => {
    const api = fullScene('en', 'light')
    const crowd = Array.from({ length: 3_000 }, (_, n) => member(`n${n}`, `Player ${n}`))
    api.members = { ...api.members, sections: [{ memberGroup: null, name: '', count: 3_000, members: crowd }] }
    api.seats = new Set(['n2999'])
    await shown(api)
    expect(names(), 'also one who stands at the end').toEqual(['Player 2999'])
    await fireEvent.click(screen.getByRole('radio', { name: i18n.t.seats.everybody }))
    await fill('seats-search', 'player 29')
    await waitFor(() => expect(names()).toHaveLength(111))
    await fireEvent.click(screen.getByRole('radio', { name: i18n.t.seats.seated }))
    await waitFor(() => expect(names()).toEqual(['Player 2999']))
    expect(screen.getByTestId<HTMLInputElement>('seats-search').value).toBe('player 29')
  })

  it('says why when one is refused, and changes nothing', async () => {
    const api = fullScene('en', 'light')
    await shown(api)
    api.refusal = 'rank_too_low'
    await fireEvent.click(seatOf('Kestrel') as HTMLElement)
    expect((await screen.findByTestId('form-error')).textContent.length).toBeGreaterThan(10)
    expect(names()).toEqual(['Fawn', 'Kestrel'])
    expect(api.seats.has('kes')).toBe(true)
  })
})

describe('the members of a member group', () => {
  it('are put in and taken out, and whom one may not move is only told', async () => {
    const api = fullScene('en', 'light')
    const [mods, ...others] = api.members.sections
    if (mods) {
      const members = mods.members.map((one) => (one.id === 'fawn' ? { ...one, canAssign: false } : one))
      api.members = { ...api.members, sections: [{ ...mods, members }, ...others] }
    }
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'access' })
    await fireEvent.click(await screen.findByTestId('member-group-mod'))
    await fireEvent.click(await screen.findByTestId('member-group-members'))
    await screen.findAllByTestId('group-member')
    const row = (name: string): HTMLElement => {
      const found = screen.getAllByTestId('group-member').find((one) => one.dataset.name === name)
      if (!found) throw new Error(`${name} is not listed`)
      return found
    }
    expect(within(row('Fawn')).queryByRole('button')).toBeNull()
    expect(plain(row('Fawn'))).toContain(i18n.t.admin.isIn)
    expect(within(row('Ash')).getByRole('button').getAttribute('aria-label')).toBe(`${i18n.t.admin.takeOut}: Ash`)
    await fireEvent.click(within(row('Ash')).getByRole('button'))
    await waitFor(() => expect(within(row('Aster')).getByRole('button')).toHaveProperty('disabled', false))
    await fireEvent.click(within(row('Aster')).getByRole('button'))
    const change = (whom: string, on: boolean) => ({
      type: 'assignMemberGroup',
      community: 'c1',
      member: whom,
      memberGroup: 'mod',
      on,
    })
    await waitFor(() => expect(sent(api)).toEqual([change('ash-11', false), change('aster', true)]))
  })
})

describe('a server that shows another key', () => {
  it('is not trusted by a stray Enter', async () => {
    const api = fullScene('en', 'light')
    api.relocate = () => Promise.resolve({ result: 'otherKey', old: 'aaaa', new: 'bbbb' })
    const window = await opened(api)
    window.dialogs.show({ kind: 'relocate', account: 's1.me' })
    await screen.findByTestId('relocate-link')
    await fill('relocate-link', 'chat.example.org')
    screen.getByTestId('relocate-submit').focus()
    await click('relocate-submit')
    const refuse = await screen.findByTestId('relocate-refuse')
    await waitFor(() => expect(document.activeElement).toBe(refuse))
  })
})

describe('the settings of this computer', () => {
  it('name a field by its name, and say the rest apart', async () => {
    const window = await opened(fullScene('en', 'light'))
    await import('./SettingsDialog.svelte')
    window.dialogs.show({ kind: 'settings', page: 'general' })
    const field = await screen.findByRole('combobox', { name: 'Space for messages on this computer' })
    expect(field.getAttribute('aria-describedby')).toBe('history-hint')
  })
})
