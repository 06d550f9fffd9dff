import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fullScene } from '../../stories/scenes'
import { Refused, type ExplanationView, type Submitted } from '../api'
import { i18n } from '../i18n.svelte'
import type { WindowState } from '../state/window.svelte'
import type { StandIn } from '../testing/stand-in'
import { tree } from '../testing/views'
import { click, fill, opened, press, sent } from '../testing/hands'

// What others do, or the server answers, while a dialog is open.
beforeAll(() => import('./AdminSheet.svelte'))
afterEach(cleanup)

const refused = (code: string) => new Refused({ code, message: '', rejection: null })

/** Makes the next submit wait for its answer. */
function held(api: StandIn): { refuse: (code: string) => void } {
  let refuse: (code: string) => void = () => undefined
  api.submit = () => new Promise<Submitted>((_, reject) => (refuse = (code) => reject(refused(code))))
  return { refuse: (code) => refuse(code) }
}

describe('an answer that comes after the dialog was closed', () => {
  it('is told when it is a refusal', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    const answer = held(api)
    window.dialogs.show({ kind: 'createGroup' })
    await screen.findByTestId('name-input')
    await fill('name-input', 'Raids')
    await click('name-submit')
    await press('Escape')
    await waitFor(() => expect(screen.queryByTestId('dialog-create-group')).toBeNull())
    answer.refuse('not_allowed')
    expect((await screen.findByTestId('toast')).textContent).toContain('You aren’t allowed to do that.')
  })

  it('is told where it was asked for as long as the dialog is there', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    const answer = held(api)
    window.dialogs.show({ kind: 'createGroup' })
    await screen.findByTestId('name-input')
    await fill('name-input', 'Raids')
    await click('name-submit')
    answer.refuse('not_allowed')
    expect((await screen.findByTestId('form-error')).textContent).toContain('You aren’t allowed to do that.')
    expect(screen.getByTestId<HTMLInputElement>('name-input').value, 'what was typed stays').toBe('Raids')
    expect(screen.queryByTestId('toast')).toBeNull()
  })
})

describe('a dialog about a community', () => {
  /** The person is put out of the community, and the window goes to the next one. */
  async function putOut(api: StandIn, window: WindowState): Promise<void> {
    api.trees.set('c2', tree({ id: 'c2', name: 'Rust' }))
    api.app = {
      ...api.app,
      accounts: api.app.accounts.map((one) => ({
        ...one,
        communities: one.communities.filter((tile) => tile.id !== 'c1'),
      })),
    }
    api.tell({ type: 'app' })
    await waitFor(() => expect(window.tree?.view?.name).toBe('Rust'))
  }

  it('does nothing to another one that comes in its place', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'createGroup' })
    await screen.findByTestId('name-input')
    await fill('name-input', 'Raids')
    await putOut(api, window)
    await click('name-submit')
    expect(sent(api)).toMatchObject([{ type: 'createGroup', community: 'c1' }])
  })

  it('closes its pages when the window goes to another one', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'overview' })
    await screen.findByTestId('admin-name')
    await putOut(api, window)
    await waitFor(() => expect(screen.queryByTestId('dialog-admin')).toBeNull())
  })
})

describe('the overview', () => {
  it('follows what another admin renames, and sends only what was changed here', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'overview' })
    await screen.findByTestId('admin-name')
    const whole = api.trees.get('c1')
    if (whole) api.trees.set('c1', { ...whole, name: 'Renamed' })
    api.tell({ type: 'tree', account: 's1.me', community: 'c1' })
    await waitFor(() => expect(screen.getByTestId<HTMLInputElement>('admin-name').value).toBe('Renamed'))
    expect(screen.getByTestId('admin-save'), 'nothing was changed here').toHaveProperty('disabled', true)
    await fill('admin-introduction', 'About us')
    await click('admin-save')
    await waitFor(() =>
      expect(sent(api)).toEqual([{ type: 'editCommunity', community: 'c1', name: null, introduction: 'About us' }]),
    )
  })

  it('keeps what was typed when another page is looked at, and when it is refused', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'overview' })
    await screen.findByTestId('admin-name')
    await fill('admin-introduction', 'About us')
    await click('page-members')
    await click('page-overview')
    expect(screen.getByTestId<HTMLTextAreaElement>('admin-introduction').value).toBe('About us')
    api.refusal = 'not_allowed'
    await click('admin-save')
    expect((await screen.findByTestId('form-error')).textContent).toContain('You aren’t allowed to do that.')
    expect(screen.getByTestId<HTMLTextAreaElement>('admin-introduction').value).toBe('About us')
  })

  it('asks before what was typed is thrown away', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'overview' })
    await screen.findByTestId('admin-name')
    await fill('admin-introduction', 'About us')
    await press('Escape')
    await screen.findByTestId('dialog-confirm')
    await click('cancel')
    await waitFor(() => expect(screen.queryByTestId('dialog-confirm')).toBeNull())
    expect(screen.getByTestId<HTMLTextAreaElement>('admin-introduction').value).toBe('About us')
    await press('Escape')
    await screen.findByTestId('dialog-confirm')
    await click('confirm-submit')
    await waitFor(() => expect(screen.queryByTestId('dialog-admin')).toBeNull())
    expect(sent(api)).toEqual([])
  })
})

describe('a topic that is being written about', () => {
  it('asks before its introduction is thrown away, and a press beside it does nothing', async () => {
    const window = await opened(fullScene('en', 'light'))
    window.dialogs.show({ kind: 'createTopic', group: 'g2' })
    await screen.findByTestId('topic-name')
    await fill('topic-introduction', 'Say server, rank and time')
    const layer = screen.getByTestId('dialog-create-topic').parentElement as HTMLElement
    await fireEvent.pointerDown(layer)
    await fireEvent.click(layer)
    expect(screen.queryByTestId('dialog-confirm')).toBeNull()
    await press('Escape')
    await screen.findByTestId('dialog-confirm')
    await click('confirm-submit')
    await waitFor(() => expect(screen.queryByTestId('dialog-create-topic')).toBeNull())
  })
})

describe('a member group that another admin deletes', () => {
  it('is the one whose name or members are changed, not the one that is shown in its place', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'access' })
    await fireEvent.click(await screen.findByTestId('member-group-mod'))
    await fireEvent.click(await screen.findByTestId('rename-member-group'))
    await screen.findByTestId('name-input')
    api.access = { memberGroups: api.access.memberGroups.filter((one) => one.id !== 'mod') }
    api.tell({ type: 'access', account: 's1.me', community: 'c1' })
    await waitFor(() => expect(screen.queryByTestId('member-group-mod')).toBeNull())
    await fill('name-input', 'Wardens')
    api.refusal = 'not_found'
    await click('name-submit')
    expect(sent(api)).toMatchObject([{ type: 'editMemberGroup', memberGroup: 'mod', name: 'Wardens' }])
    expect(await screen.findByTestId('form-error')).toBeTruthy()
  })
})

describe('the table of rights', () => {
  it('takes what is wanted against what holds now, not against what held when the menu opened', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'admin', page: 'access' })
    const cell = await waitFor(() => {
      const found = document.querySelector<HTMLElement>('[data-place="topic:t4"] [data-permission=pin]')
      if (!found) throw new Error('not yet')
      return found
    })
    await fireEvent.click(cell)
    await screen.findByTestId('right-menu')
    const bit = 1 << api.rights.permissions.findIndex((one) => one.key === 'pin')
    api.rights = {
      ...api.rights,
      lines: api.rights.lines.map((line) => (line.name === 'guides' ? { ...line, deny: line.deny | bit } : line)),
    }
    api.tell({ type: 'access', account: 's1.me', community: 'c1' })
    await waitFor(() => expect(screen.getByTestId('right-deny').getAttribute('aria-checked')).toBe('true'))
    await click('right-inherit')
    await waitFor(() => expect(sent(api)).toMatchObject([{ type: 'setAccess', permission: 'pin', value: null }]))
  })
})

describe('the explanation of rights', () => {
  it('never shows under one name what another one may do', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    window.dialogs.show({ kind: 'explain', member: { id: 'kes', name: 'Kestrel' }, topic: 't3' })
    const dialog = await screen.findByTestId('dialog-explain')
    await waitFor(() => expect(dialog.querySelector('[data-permission=speak]')).not.toBeNull())
    let refuse: () => void = () => undefined
    api.explain = () => new Promise<ExplanationView>((_, reject) => (refuse = () => reject(refused('offline'))))
    await click('explain-who')
    await waitFor(() => expect(screen.getAllByTestId('explain-member').length).toBeGreaterThan(0))
    await fireEvent.click(screen.getAllByTestId('explain-member')[0] as HTMLElement)
    expect(dialog.querySelector('[data-permission=speak]'), 'it is asked for').toBeNull()
    refuse()
    expect((await screen.findByTestId('form-error')).textContent).toContain(i18n.t.errors.offline)
    expect(dialog.querySelector('[data-permission=speak]')).toBeNull()
  })
})

describe('an invitation', () => {
  it('that could not be made without a link is made when there is one again', async () => {
    const api = fullScene('en', 'light')
    const window = await opened(api)
    const make = api.invitesView
    api.invitesView = () => Promise.reject(refused('offline'))
    window.dialogs.show({ kind: 'invite' })
    await screen.findByTestId('form-error')
    api.invitesView = make
    const [first, ...others] = api.app.accounts
    const through = async (state: 'offline' | 'synced'): Promise<void> => {
      const connection = state === 'offline' ? { state, retryAt: 0 } : { state }
      if (first) api.app = { ...api.app, accounts: [{ ...first, connection }, ...others] }
      api.tell({ type: 'app' })
      await waitFor(() => expect(window.account?.connection.state).toBe(state))
    }
    await through('offline')
    await through('synced')
    expect(await screen.findByTestId('invite-link')).toBeTruthy()
    expect(screen.queryByTestId('form-error')).toBeNull()
  })
})
