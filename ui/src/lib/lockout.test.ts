import { describe, expect, it } from 'vitest'
import type { AccessPlace, RightsView } from '../api'
import { PERMISSIONS, rightsLine, rightsOf } from '../testing/views'
import { isHarmless, lossesBy, type Mine, type RightsAction } from './lockout'

const COMMUNITY: AccessPlace = { level: 'community' }
const GROUP: AccessPlace = { level: 'group', id: 'g1' }
const TOPIC: AccessPlace = { level: 'topic', id: 't1' }
const OTHER: AccessPlace = { level: 'topic', id: 't2' }
const AWAY: AccessPlace = { level: 'group', id: 'g2' }

type Rows = Partial<Record<'community' | 'g1' | 't1' | 't2' | 'g2', { allow?: string[]; deny?: string[] }>>

function table(memberGroup: string, rows: Rows): RightsView {
  const lines = [COMMUNITY, GROUP, TOPIC, OTHER, AWAY].map((place) => {
    const key = place.level === 'community' ? 'community' : (place.id as keyof Rows)
    const { allow = [], deny = [] } = rows[key] ?? {}
    return rightsLine(place, key, { allow: rightsOf(...allow), deny: rightsOf(...deny) })
  })
  return { memberGroup, permissions: PERMISSIONS, lines }
}

const set = (memberGroup: string, place: AccessPlace, permission: string, value: boolean | null): RightsAction => ({
  type: 'setAccess',
  community: 'c1',
  place,
  memberGroup,
  permission,
  value,
})
const assign = (memberGroup: string, on: boolean): RightsAction => ({
  type: 'assignMemberGroup',
  community: 'c1',
  member: 'me',
  memberGroup,
  on,
})

/** Everyone sees and speaks; the moderators manage; helpers, one of whom I am as well, may recall. */
function mine(more: { everyone?: Rows; mod?: Rows; helper?: Rows; quiet?: Rows } = {}): Mine {
  return {
    memberGroups: ['mod', 'helper'],
    tables: [
      table('everyone', more.everyone ?? { community: { allow: ['view', 'speak'] } }),
      table('mod', more.mod ?? { community: { allow: ['manageMemberGroups', 'assignMemberGroups'] } }),
      table('helper', more.helper ?? { community: { allow: ['recallOthers'] } }),
      table('quiet', more.quiet ?? { community: { deny: ['speak'] } }),
    ],
  }
}
const said = (action: RightsAction, held = mine()) =>
  lossesBy(action, held).map(({ name, rights }) => `${name}: ${rights.join(' ')}`)

describe('what a change of rights would take from whoever makes it', () => {
  it('is what comes from his own member group, when that is denied or taken back', () => {
    expect(said(set('mod', COMMUNITY, 'manageMemberGroups', false))).toEqual(['community: manageMemberGroups'])
    expect(said(set('mod', COMMUNITY, 'assignMemberGroups', null))).toEqual(['community: assignMemberGroups'])
    expect(said(set('helper', COMMUNITY, 'recallOthers', null))).toEqual(['community: recallOthers'])
  })

  it('is nothing where another of his member groups still allows it at the same level', () => {
    const held = mine({ helper: { community: { allow: ['manageMemberGroups'] } } })
    expect(said(set('helper', COMMUNITY, 'manageMemberGroups', false), held)).toEqual([])
    expect(said(set('helper', COMMUNITY, 'manageMemberGroups', null), held)).toEqual([])
    expect(said(set('everyone', COMMUNITY, 'manageMemberGroups', false), held)).toEqual([])
  })

  it('is what is denied further down, whatever is allowed above', () => {
    const held = mine({ mod: { community: { allow: ['manageTopics', 'view'] } } })
    expect(said(set('helper', TOPIC, 'manageTopics', false), held)).toEqual(['t1: manageTopics'])
    expect(said(set('everyone', GROUP, 'manageTopics', false), held)).toEqual(['g1: manageTopics'])
  })

  it('names the sight of a place alone, and once: with it goes everything there and below', () => {
    expect(said(set('everyone', COMMUNITY, 'view', false))).toEqual(['community: view'])
    expect(said(set('everyone', GROUP, 'view', false))).toEqual(['g1: view'])
    expect(said(set('helper', TOPIC, 'view', false))).toEqual(['t1: view'])
  })

  it('is nothing where a lower place allows it again', () => {
    const held = mine({ everyone: { community: { allow: ['view', 'speak'] }, t2: { allow: ['view'] } } })
    expect(said(set('everyone', GROUP, 'view', false), held)).toEqual(['g1: view'])
  })

  it('is what a member group gave, when he leaves it or it is deleted', () => {
    expect(said(assign('helper', false))).toEqual(['community: recallOthers'])
    expect(said({ type: 'deleteMemberGroup', community: 'c1', memberGroup: 'helper' })).toEqual([
      'community: recallOthers',
    ])
  })

  it('is what a member group denies, when he joins it', () => {
    expect(said(assign('quiet', true))).toEqual(['community: speak'])
  })

  it('is what another group takes from a topic that is moved there', () => {
    const held = mine({ everyone: { community: { allow: ['view', 'speak'] }, g2: { deny: ['speak'] } } })
    const go = (group: string): RightsAction => ({
      type: 'moveTopic',
      community: 'c1',
      topic: 't1',
      group,
      after: null,
    })
    expect(said(go('g2'), held)).toEqual(['t1: speak'])
    expect(said(go('g1'), held)).toEqual([])
    const hidden = mine({ everyone: { community: { allow: ['view'] }, g2: { deny: ['view'] } } })
    expect(said(go('g2'), hidden)).toEqual(['t1: view'])
  })

  it('is the same as the rule of rights says of each step', () => {
    // As in the protocol's own: a group's allow beats everyone's deny at one level, the lower level beats the higher one.
    const held = mine({
      everyone: { community: { allow: ['view', 'speak'] }, g1: { deny: ['speak'] } },
      mod: { g1: { allow: ['speak'] } },
    })
    expect(said(set('mod', GROUP, 'speak', null), held)).toEqual(['g1: speak'])
    expect(said(set('everyone', COMMUNITY, 'speak', false), held)).toEqual(['community: speak'])
  })
})

describe('a change that needs no look', () => {
  it('allows, is about others, or about member groups that he is not in', () => {
    expect(isHarmless(set('mod', COMMUNITY, 'speak', true), 'me', ['mod'])).toBe(true)
    expect(isHarmless(set('reg', COMMUNITY, 'speak', false), 'me', ['mod'])).toBe(true)
    expect(isHarmless({ ...assign('helper', false), member: 'bob' } as RightsAction, 'me', ['helper'])).toBe(true)
    expect(isHarmless({ type: 'deleteMemberGroup', community: 'c1', memberGroup: 'reg' }, 'me', ['mod'])).toBe(true)
  })

  it('is none that is about everyone or his own', () => {
    expect(isHarmless(set('everyone', COMMUNITY, 'speak', false), 'me', ['mod'])).toBe(false)
    expect(isHarmless(set('mod', COMMUNITY, 'speak', null), 'me', ['mod'])).toBe(false)
    expect(isHarmless(assign('mod', false), 'me', ['mod'])).toBe(false)
    expect(isHarmless(assign('quiet', true), 'me', ['mod'])).toBe(false)
  })
})
