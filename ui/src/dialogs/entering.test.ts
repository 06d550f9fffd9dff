import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { afterEach, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { Refused, type HostingView, type ServerPeek } from '../api'
import { catalogues, i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import { faults } from '../testing/faults'
import { StandIn } from '../testing/stand-in'
import { appView } from '../testing/views'
import { click, fill, started } from '../testing/hands'

const shows = (testid: string) => screen.findByTestId(testid)

const left = async (window: WindowState): Promise<void> => {
  window.dialogs.closeAll()
  await waitFor(() => expect(document.querySelector('dialog')).toBeNull())
}

afterEach(cleanup)

describe('the field for a link', () => {
  it('says what is wrong with what was pasted, and takes it back when something else is typed', async () => {
    const api = fullScene('en', 'light')
    api.peek = () => Promise.reject(new Refused({ code: 'link_cut', message: '', rejection: null, about: 'key=' }))
    const window = await started(api)
    window.dialogs.show({ kind: 'join', link: '' })
    await shows('join-form')
    await fill('join-link', 'tulou://join/a?at=x&key=12')
    await click('join-look')
    expect((await shows('form-error')).textContent).toContain('cut off after “key=”')
    expect(screen.getByTestId('join-link').getAttribute('aria-invalid')).toBe('true')
    await fill('join-link', 'tulou://join/a')
    expect(screen.queryByTestId('form-error'), 'that was about another text').toBeNull()
  })

  it('takes an old error back in the account’s fields, too', async () => {
    const api = fullScene('en', 'light')
    api.join = () => Promise.reject(new Refused({ code: 'name_taken', message: '', rejection: null }))
    const window = await started(api)
    window.dialogs.show({ kind: 'join', link: 'starsea.example' })
    await shows('join-form')
    await click('join-look')
    await shows('join-peek')
    await fill('join-display-name', 'Me')
    await fill('join-password', 'correct horse')
    await click('join-submit')
    await shows('form-error')
    await fill('join-name', 'me-2')
    expect(screen.queryByTestId('form-error')).toBeNull()
  })

  it('hands the keyboard to the next field, whichever that is', async () => {
    const api = fullScene('en', 'light')
    const window = await started(api)
    const focus = () => document.activeElement?.getAttribute('data-testid')
    window.dialogs.show({ kind: 'join', link: 'starsea.example' })
    await shows('join-form')
    await click('join-look')
    await shows('join-peek')
    await waitFor(() => expect(focus()).toBe('join-display-name'))
    await click('join-sign-in')
    await click('join-register')
    expect(focus(), 'who chooses a tab stays there').not.toBe('join-display-name')
    await left(window)

    const card: ServerPeek = {
      server: 's1',
      name: 'Starsea',
      registration: 'closed',
      address: 'wss://starsea.example',
      community: null,
      members: null,
      isInviteOver: false,
      accounts: [],
    }
    api.peek = () => Promise.resolve(card)
    window.dialogs.show({ kind: 'join', link: 'starsea.example' })
    await shows('join-form')
    await click('join-look')
    await shows('join-peek')
    await waitFor(() => expect(focus()).toBe('join-name'))
    await left(window)

    api.peek = () =>
      Promise.resolve({ ...card, community: 'Players', members: 3, accounts: [api.app.accounts[0]?.key ?? ''] })
    window.dialogs.show({ kind: 'join', link: 'invite' })
    await shows('join-form')
    await click('join-look')
    await shows('join-as')
    await waitFor(() => expect(focus()).toBe('join-as'))
  })
})

describe('somebody who hears the form', () => {
  const card = (api: StandIn): ServerPeek => ({
    server: 's1',
    name: 'Starsea',
    registration: 'open',
    address: 'wss://starsea.example',
    community: '星海',
    members: 3,
    isInviteOver: false,
    accounts: api.app.accounts.map((account) => account.key),
  })

  it('is told where the link leads when the next field has the keyboard', async () => {
    const api = fullScene('en', 'light')
    api.peek = () => Promise.resolve({ ...card(api), accounts: [] })
    const window = await started(api)
    window.dialogs.show({ kind: 'join', link: 'invite' })
    await shows('join-form')
    await click('join-look')
    const peek = await shows('join-peek')
    const form = screen.getByTestId('join-display-name').closest('form')
    expect(form?.getAttribute('aria-labelledby')).toBe(peek.id)
    expect(peek.textContent).toContain('星海')
    expect(await faults(screen.getByTestId('dialog-join'))).toEqual([])
  })

  it('is told that an invite is not valid, and not that nobody may register', async () => {
    const api = fullScene('en', 'light')
    api.peek = () =>
      Promise.resolve({
        ...card(api),
        registration: 'invite',
        community: null,
        members: null,
        isInviteOver: true,
        accounts: [],
      })
    const window = await started(api)
    window.dialogs.show({ kind: 'join', link: 'invite' })
    await shows('join-form')
    await click('join-look')
    const said = await shows('join-over')
    expect(said.getAttribute('role')).toBe('alert')
    const dialog = screen.getByTestId('dialog-join')
    expect(dialog.textContent).toContain('Ask for a new one')
    expect(dialog.textContent).not.toContain('accept new accounts')
    expect(await faults(dialog)).toEqual([])
  })

  it('is offered a place that only the account has which was made with the link, and not to register for it', async () => {
    const api = fullScene('en', 'light')
    const mine = api.app.accounts[0]?.key ?? ''
    api.peek = () => Promise.resolve({ ...card(api), registration: 'invite', isInviteOver: true, accounts: [mine] })
    const window = await started(api)
    window.dialogs.show({ kind: 'join', link: 'invite' })
    await shows('join-form')
    await click('join-look')
    await shows('join-as')
    expect(screen.getAllByTestId('join-as')).toHaveLength(1)
    expect(screen.getByTestId('join-peek').textContent).toContain('星海')
    expect(screen.queryByTestId('join-over'), 'it leads this one').toBeNull()
    await click('join-other')
    await shows('join-over')
    expect(screen.queryByTestId('join-register')).toBeNull()
    expect(screen.getByTestId('join-peek').textContent, 'nobody else is invited').not.toContain('星海')
    expect(await faults(screen.getByTestId('dialog-join'))).toEqual([])
  })

  it('can tell accounts of one name apart', async () => {
    const api = fullScene('en', 'light')
    const [first] = api.app.accounts
    if (!first) throw new Error('the scene has an account')
    const ten = Array.from({ length: 10 }, (_, no) => ({
      ...first,
      key: `s1.${no}`,
      name: `me-${no}`,
      displayName: 'Me',
    }))
    api.app = { ...api.app, accounts: ten }
    api.peek = () => Promise.resolve(card(api))
    const window = await started(api)
    window.dialogs.show({ kind: 'join', link: 'invite' })
    await shows('join-form')
    await click('join-look')
    await shows('join-peek')
    const said = screen.getAllByTestId('join-as').map((button) => button.textContent.trim())
    expect(new Set(said).size).toBe(10)
    expect(said[3]).toContain('me-3')
  })

  it('hears beside the field why a new address is no good', async () => {
    const api = fullScene('en', 'light')
    api.relocate = () => Promise.reject(new Refused({ code: 'link_cut', message: '', rejection: null, about: 'key=' }))
    const window = await started(api)
    window.dialogs.show({ kind: 'relocate', account: api.app.accounts[0]?.key ?? '' })
    await shows('dialog-relocate')
    await fill('relocate-link', 'tulou://join/a?at=x&key=12')
    await click('relocate-submit')
    const error = await shows('form-error')
    const field = screen.getByTestId('relocate-link')
    expect(field.getAttribute('aria-invalid')).toBe('true')
    expect(field.getAttribute('aria-describedby')).toBe(error.id)
    expect(error.id).not.toBe('')
  })
})

describe('adding', () => {
  it('tells joining by a link from adding an account', async () => {
    const api = fullScene('en', 'light')
    const window = await started(api)
    window.dialogs.show({ kind: 'add' })
    await shows('dialog-add')
    await click('add-account')
    const dialog = await shows('dialog-join')
    expect(dialog.textContent).toContain(i18n.t.add.account)
    expect(dialog.textContent).toContain(i18n.t.first.accountText)
    await fill('join-link', 'starsea.example')
    await click('join-look')
    await shows('join-peek')
    expect(screen.getByTestId('join-sign-in').getAttribute('aria-pressed'), 'who adds one has one').toBe('true')
    expect(await faults(dialog)).toEqual([])
    await left(window)
    window.dialogs.show({ kind: 'join', link: '' })
    expect((await shows('dialog-join')).textContent).not.toContain(i18n.t.first.accountText)
  })
})

describe('a dialog that follows another', () => {
  it('keeps the keyboard that it took', async () => {
    const window = await started(fullScene('en', 'light'))
    const plus = screen.getByTestId('rail-add')
    plus.focus()
    window.dialogs.show({ kind: 'add' })
    await shows('dialog-add')
    await click('add-join')
    const link = await shows('join-link')
    await waitFor(() => expect(screen.queryByTestId('dialog-add')).toBeNull())
    await new Promise((resolve) => setTimeout(resolve))
    expect(document.activeElement).toBe(link)
    await fireEvent.keyDown(link, { key: 'Escape' })
    await waitFor(() => expect(window.dialogs.open).toEqual([]))
    await waitFor(() => expect(document.activeElement, 'and gives it back to what opened the first').toBe(plus))
  })
})

describe('hosting', () => {
  it('asks for the community’s name, makes it with a first topic, and shows an invite to it', async () => {
    const api = new StandIn()
    const after = fullScene('en', 'light')
    api.trees = new Map([['made1', [...after.trees.values()][0] as never]])
    api.app = appView({ accounts: [] })
    api.codes = []
    const window = await started(api)
    await click('first-host')
    expect(document.activeElement?.getAttribute('data-testid')).toBe('host-community')
    await fill('host-community', ' Starsea ')
    await fill('host-display-name', 'Solstice')
    await fill('host-password', 'correct horse')
    const { firstGroup: group, firstTopic: topic } = i18n.t.community
    api.app = after.app
    await click('host-submit')
    await shows('dialog-invite')
    expect(api.actions).toEqual([{ type: 'createCommunity', name: 'Starsea', group, topic }])
    expect(window.place?.community).toBe('made1')
    const link = await shows('invite-link')
    expect((link as HTMLInputElement).value).toMatch(/^tulou:/)
    expect(screen.getByTestId('invite-good').textContent).toContain('can join with the link')
    expect(await faults(screen.getByTestId('dialog-invite'))).toEqual([])
    await click('invite-done')
    await waitFor(() => expect(window.dialogs.open).toEqual([]))
  })

  it('shows the recovery codes first, and the invite when they are kept', async () => {
    const api = new StandIn()
    const after = fullScene('en', 'light')
    api.trees = new Map([['made1', [...after.trees.values()][0] as never]])
    api.app = appView({ accounts: [] })
    api.codes = ['ABCD-EFGH']
    const window = await started(api)
    await click('first-host')
    await fill('host-community', 'Starsea')
    await fill('host-display-name', 'Solstice')
    await fill('host-password', 'correct horse')
    api.app = after.app
    await click('host-submit')
    await shows('dialog-codes')
    expect(
      window.dialogs.open.map((one) => one.dialog.kind),
      'one thing is asked at a time',
    ).toEqual(['recoveryCodes'])
    await click('codes-kept')
    await click('codes-done')
    await shows('dialog-invite')
    expect(window.dialogs.open.map((one) => one.dialog.kind)).toEqual(['invite'])
  })

  it('goes on without the community if that cannot be made, and says why', async () => {
    const api = new StandIn()
    const { app } = fullScene('en', 'light')
    api.app = appView({ accounts: [] })
    const window = await started(api)
    await click('first-host')
    await fill('host-community', 'Starsea')
    await fill('host-display-name', 'Solstice')
    await fill('host-password', 'correct horse')
    api.app = app
    api.refusal = 'too_many'
    await click('host-submit')
    await waitFor(() => expect(window.toasts.shown.map((toast) => toast.isError)).toEqual([true]))
    expect(window.dialogs.open, 'there is nobody to invite to').toEqual([])
  })
})

describe('the invite', () => {
  const local = [{ address: 'wss://192.168.1.20:4780', reach: 'localNetwork' as const }]
  const here = [{ address: 'ws://127.0.0.1:4780', reach: 'thisComputer' as const }]
  const invite = async (hosting: Partial<HostingView> | null): Promise<[StandIn, WindowState]> => {
    const api = fullScene('en', 'light')
    const [first, ...others] = api.app.accounts
    if (!first || !api.app.hosting) throw new Error('the scene has a host')
    api.app = {
      ...api.app,
      accounts: [{ ...first, isHostedHere: hosting !== null, waiting: 0, connection: { state: 'synced' } }, ...others],
      hosting: { ...api.app.hosting, isOpen: true, ...hosting },
    }
    const window = await started(api)
    await window.openCommunity('s1.me', 'c1')
    window.dialogs.show({ kind: 'invite' })
    return [api, window]
  }
  const link = () => screen.getByTestId<HTMLInputElement>('invite-link').value

  it('is a new one where the others have lapsed', async () => {
    const api = fullScene('en', 'light')
    api.invites = api.invites.filter((one) => one.hasLapsed)
    expect(api.invites).toHaveLength(1)
    const window = await started(api)
    await window.openCommunity('s1.me', 'c1')
    window.dialogs.show({ kind: 'invite' })
    await shows('invite-link')
    expect(api.calls).toContain('createInvite')
  })

  it('is there at once; one that goes on being good is not made again', async () => {
    const [api, window] = await invite(null)
    await shows('invite-link')
    const first = link()
    expect(api.calls.filter((call) => call === 'createInvite').length).toBeLessThanOrEqual(1)
    await left(window)
    const made = api.calls.filter((call) => call === 'createInvite').length
    window.dialogs.show({ kind: 'invite' })
    await shows('invite-link')
    expect(api.calls.filter((call) => call === 'createInvite')).toHaveLength(made)
    expect(link()).toBe(first)
    await waitFor(() => expect(screen.getByTestId('invite-create')).toHaveProperty('disabled', false))
    await click('invite-create')
    await waitFor(() => expect(link()).not.toBe(first))
  })

  it('that was made meanwhile is not replaced by the one before, whose new address comes late', async () => {
    const [api, window] = await invite({ addresses: here })
    await shows('invite-link')
    const before = api.invites
    let answer: () => void = () => undefined
    api.invitesView = () => new Promise((resolve) => (answer = () => resolve(before)))
    if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, addresses: local } }
    await window.ask()
    const first = link()
    await click('invite-create')
    await waitFor(() => expect(link()).not.toBe(first))
    const second = link()
    answer()
    await new Promise((resolve) => setTimeout(resolve))
    expect(link()).toBe(second)
  })

  it('works on this computer only where there is no network, and leads elsewhere once there is one', async () => {
    const [api, window] = await invite({ addresses: here })
    await shows('invite-link')
    expect(screen.getByTestId('invite-no-network').textContent).toContain('works on this computer only')
    expect(screen.queryByTestId('invite-good'), 'nobody else can use it').toBeNull()
    const before = link()
    api.invites = api.invites.map((one) => ({ ...one, link: `${one.link}-elsewhere` }))
    if (api.app.hosting) api.app = { ...api.app, hosting: { ...api.app.hosting, addresses: local } }
    await window.ask()
    await waitFor(() => expect(link()).toBe(`${before}-elsewhere`))
    expect(screen.queryByTestId('invite-no-network')).toBeNull()
    expect(screen.getByTestId('invite-good').textContent).toContain('same network')
  })

  it('waits until the server knows what was made here', async () => {
    const [api, window] = await invite(null)
    await shows('invite-link')
    await left(window)
    api.invites = []
    api.calls.length = 0
    const [first, ...others] = api.app.accounts
    if (first) api.app = { ...api.app, accounts: [{ ...first, waiting: 1 }, ...others] }
    await window.ask()
    window.dialogs.show({ kind: 'invite' })
    await screen.findByText(i18n.t.invite.waiting)
    expect(api.calls).not.toContain('createInvite')
    if (first) api.app = { ...api.app, accounts: [{ ...first, waiting: 0 }, ...others] }
    await window.ask()
    await shows('invite-link')
  })
})

describe('a server that answers and cannot be used', () => {
  it.each(['en', 'zh-CN'] as const)('says why in %s', async (lang) => {
    const api = fullScene(lang, 'light')
    const [first, ...others] = api.app.accounts
    const cause = { code: 'certificate_expired', about: '2026-11-29T08:00:00Z' }
    const connection = { state: 'offline' as const, retryAt: Date.now() + 12_000, cause }
    if (first) api.app = { ...api.app, accounts: [{ ...first, isHostedHere: false, connection }, ...others] }
    await started(api)
    const banner = await shows('banner-unusable')
    expect(banner.textContent).toContain(lang === 'en' ? 'expired on 29 November 2026' : '2026年11月29日')
    expect(await faults(banner)).toEqual([])
  })

  it('has words for each cause in both languages, that name what there is to name', () => {
    for (const [lang, { because }] of Object.entries(catalogues)) {
      for (const [code, sentence] of Object.entries(because)) {
        const said = sentence('WHAT')
        expect(said, `${lang} ${code}`).not.toMatch(/undefined|\s$/)
        if (sentence.length > 0) expect(said, `${lang} ${code}`).toContain('WHAT')
      }
    }
    expect(i18n.because({ code: 'unreachable' })).toBeNull()
  })
})

describe('an invite in a message', () => {
  it('opens the way in when it is clicked, and nothing outside', async () => {
    const api = fullScene('en', 'light')
    const link = 'tulou://join/K7Q2?at=wss%3A%2F%2Fstarsea.example&server=ASNFZ4mrze8BI0VniavN7w'
    const inlines = [
      {
        type: 'link' as const,
        target: { href: link, kind: 'invite' as const, place: '', isNamed: false, doubts: [] },
        inlines: [{ type: 'text' as const, text: link }],
      },
    ]
    const t3 = api.topics.get('t3')
    const last = t3?.rows.at(-1)
    if (!t3 || !last) throw new Error('the scene has a topic')
    const row = {
      ...last,
      id: 'invite',
      seq: (last.seq ?? 0) + 1,
      blocks: [{ type: 'paragraph' as const, lang: null, inlines }],
    }
    api.topics.set('t3', { ...t3, rows: [...t3.rows, row] })
    const window = await started(api)
    await fireEvent.click(await screen.findByText(link))
    expect(window.dialogs.open.map((one) => one.dialog)).toEqual([{ kind: 'join', link }])
    expect(api.calls).not.toContain('openLink')
    expect(await shows('join-link')).toHaveProperty('value', link)
  })
})
