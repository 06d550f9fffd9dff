import { cleanup, fireEvent, screen, waitFor } from '@testing-library/svelte'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { fullScene, type Tongue } from '../../../stories/scenes'
import { memberMenu } from '../../menus'
import { move } from '../../state/lockout'
import type { WindowState } from '../../state/window.svelte'
import { faults } from '../../testing/faults'
import type { StandIn } from '../../testing/stand-in'
import { rightsLine, rightsOf } from '../../testing/views'
import { click, sent, started } from '../../testing/hands'

beforeAll(() => import('../AdminSheet.svelte'))
afterEach(cleanup)

/** I am a moderator who got everything that moderators have from that group, and a regular; not the owner. */
function scene(lang: Tongue = 'en'): StandIn {
  const api = fullScene(lang, 'light')
  const tree = api.trees.get('c1')
  if (tree) api.trees.set('c1', { ...tree, isOwner: false })
  const [mods, regulars, ...others] = api.members.sections
  if (mods && regulars)
    api.members = {
      ...api.members,
      sections: [
        mods,
        {
          ...regulars,
          members: regulars.members.map((one) => (one.isMe ? { ...one, memberGroups: ['mod', 'reg'] } : one)),
        },
        ...others,
      ],
    }
  const read = api.rightsView
  const given: Record<string, number> = {
    mod: rightsOf('manageMemberGroups', 'assignMemberGroups'),
    reg: rightsOf('pin'),
  }
  api.rightsView = async (account, community, memberGroup) => {
    const view = await read(account, community, memberGroup)
    const allow = given[memberGroup]
    if (allow === undefined) return view
    return {
      ...view,
      lines: view.lines.map((line) => rightsLine(line.place, line.name, place(line.place.level, allow))),
    }
  }
  return api
}
const place = (level: string, allow: number) => ({ allow: level === 'community' ? allow : 0 })

async function opened(api: StandIn): Promise<WindowState> {
  const window = await started(api)
  await waitFor(() => expect(window.tree?.view).toBeTruthy())
  return window
}

async function table(api: StandIn, memberGroup: string): Promise<WindowState> {
  const window = await opened(api)
  window.dialogs.show({ kind: 'admin', page: 'access' })
  await fireEvent.click(await screen.findByTestId(`member-group-${memberGroup}`))
  await waitFor(() => expect(api.calls).toContain(`rightsView ${memberGroup}`))
  await waitFor(() => expect(document.querySelector('[data-cell="2:0"]')).not.toBeNull())
  return window
}

async function key(at: string, permission: string, pressed: string): Promise<void> {
  const cell = document.querySelector<HTMLElement>(`[data-place="${at}"] [data-permission=${permission}]`)
  if (!cell) throw new Error(`${at} ${permission} is not shown`)
  cell.focus()
  await fireEvent.keyDown(cell, { key: pressed })
}

const asked = async (): Promise<string> =>
  (await screen.findByTestId('dialog-confirm')).textContent.replace(/[⁦-⁩]/g, '')

describe('who would take a right from himself', () => {
  it('is told which, and nothing is sent unless it is wanted', async () => {
    const api = scene()
    await table(api, 'mod')
    await key('community', 'manageMemberGroups', 'd')
    const text = await asked()
    expect(text).toContain('You yourself would lose “Manage member groups” in the whole community.')
    expect(text).toContain('You couldn’t change this back yourself')
    expect(await faults(screen.getByTestId('dialog-confirm'))).toEqual([])
    expect(document.activeElement, 'Enter changes nothing').toBe(screen.getByTestId('cancel'))
    await click('cancel')
    await waitFor(() => expect(screen.queryByTestId('dialog-confirm')).toBeNull())
    expect(sent(api)).toEqual([])

    await key('community', 'assignMemberGroups', 'i')
    expect(await asked()).toContain('“Assign member groups”')
    await click('confirm-submit')
    await waitFor(() => expect(screen.queryByTestId('dialog-confirm')).toBeNull())
    expect(sent(api)).toMatchObject([{ type: 'setAccess', memberGroup: 'mod', value: null }])
  })

  it('is told in Chinese as well', async () => {
    await table(scene('zh-CN'), 'mod')
    await key('community', 'manageMemberGroups', 'd')
    expect(await asked()).toContain('这样您自己在整个社群就没有“管理成员组”权限了。之后您不能自己改回来')
  })

  it('is told that he would not see the place any more', async () => {
    await table(scene(), 'everyone')
    await key('topic:t4', 'view', 'd')
    expect(await asked()).toContain('You yourself would no longer see the topic “guides”.')
  })

  it('is not asked where he loses nothing', async () => {
    const api = scene()
    await table(api, 'everyone')
    await key('topic:t4', 'pin', 'a')
    await waitFor(() => expect(sent(api)).toHaveLength(1))
    await key('topic:t4', 'recallOthers', 'd')
    await waitFor(() => expect(sent(api)).toHaveLength(2))
    expect(screen.queryByTestId('dialog-confirm')).toBeNull()
  })

  it('is not asked when he owns the community: he keeps everything', async () => {
    const api = fullScene('en', 'light')
    await table(api, 'everyone')
    await key('topic:t4', 'view', 'd')
    await waitFor(() => expect(sent(api)).toHaveLength(1))
    expect(screen.queryByTestId('dialog-confirm')).toBeNull()
    expect(api.calls.filter((call) => call.startsWith('personView'))).toEqual([])
  })

  it('is asked before he leaves a member group, in its list and in the menu of himself', async () => {
    const api = scene()
    const window = await table(api, 'reg')
    await fireEvent.click(screen.getByTestId('member-group-members'))
    const mine = await waitFor(() => {
      const row = screen.getAllByTestId('group-member').find((one) => one.dataset.name === 'Solstice')
      return row?.querySelector('[data-testid=group-assign]') as HTMLElement
    })
    await fireEvent.click(mine)
    expect(await asked()).toContain('You yourself would lose “Pin messages” in the whole community.')
    await click('cancel')
    await waitFor(() => expect(screen.queryByTestId('dialog-confirm')).toBeNull())
    window.members?.show()
    const me = await waitFor(() => {
      const mine = window.members?.everybody.find((one) => one.isMe)
      expect(mine).toBeDefined()
      return mine
    })
    const items = me ? await memberMenu(window, me) : []
    items.forEach((item) => item.kind === 'item' && item.label === 'Abyss regulars' && item.run())
    expect(await asked()).toContain('“Pin messages”')
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toMatchObject([{ type: 'assignMemberGroup', member: 'me', on: false }]))
  })

  it('is told when he deletes a member group that he is in', async () => {
    const api = scene()
    await table(api, 'reg')
    await fireEvent.click(screen.getByTestId('delete-member-group'))
    expect(await asked()).toContain('You yourself would lose “Pin messages”')
    expect(sent(api)).toEqual([])
  })

  it('is asked before he moves a topic to where he may do less', async () => {
    const api = scene()
    const window = await opened(api)
    const action = { type: 'moveTopic', community: 'c1', topic: 't4', group: 'g1', after: null } as const
    await move(window, action)
    expect(await asked()).toMatch(/You yourself would lose “Speak”.* in the topic “guides”/)
    expect(sent(api)).toEqual([])
    await click('confirm-submit')
    await waitFor(() => expect(sent(api)).toEqual([action]))
    await move(window, { ...action, group: 'g4' })
    expect(sent(api), 'where he loses nothing he is not asked').toHaveLength(2)
  })

  it('is asked before he gives up his own seat', async () => {
    const api = scene()
    api.seats = new Set(['me', 'kes'])
    const window = await opened(api)
    const topic = window.tree?.view?.groups.flatMap((group) => group.topics).find((one) => one.id === 't7')
    if (topic) window.dialogs.show({ kind: 'seats', topic })
    await waitFor(() => expect(screen.getAllByTestId('seat')).toHaveLength(2))
    const [theirs, mine] = screen.getAllByTestId('seat')
    await fireEvent.click(mine as HTMLElement)
    expect(await asked()).toContain('You yourself would no longer see the topic “moderators”.')
    await click('cancel')
    expect(sent(api)).toEqual([])
    await waitFor(() => expect(screen.queryByTestId('dialog-confirm')).toBeNull())
    await fireEvent.click(theirs as HTMLElement)
    await waitFor(() => expect(sent(api)).toMatchObject([{ type: 'setSeat', member: 'kes', on: false }]))
  })
})
