import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { PERMISSIONS, rightsLine, rightsOf } from '../testing/views'
import { cellAt, columnsOf, groupAbove, hasColumn } from './access'

const columns = columnsOf(PERMISSIONS)
const column = (key: string) => {
  const found = columns.find((one) => one.key === key)
  if (!found) throw new Error(key)
  return found
}

describe('the columns of the table of rights', () => {
  it('stand in four groups, each right once', () => {
    expect(columns.map((one) => one.key).sort()).toEqual(PERMISSIONS.map((one) => one.key).sort())
    expect(columns.filter((one) => one.isFirst).map((one) => [one.group, one.key])).toEqual([
      ['read', 'view'],
      ['write', 'speak'],
      ['moderate', 'pin'],
      ['manage', 'manageTopics'],
    ])
  })

  it('are the rights of the protocol, in the order of their bits, each with a picture', () => {
    const reference = JSON.parse(readFileSync(`${import.meta.dirname}/../../../docs/openrpc.json`, 'utf8')) as {
      components: { schemas: { Permissions: { 'x-bits': Record<string, number> } } }
    }
    const bits = Object.entries(reference.components.schemas.Permissions['x-bits']).sort(([, a], [, b]) => a - b)
    expect(PERMISSIONS.map((one) => one.key)).toEqual(bits.map(([key]) => key))
    expect(columns.filter((one) => one.icon === 'question')).toEqual([])
  })

  it('take in a right that this window does not know, at the end', () => {
    const more = columnsOf([...PERMISSIONS, { key: 'fly', isCommunityOnly: false }])
    expect(more.at(-1)).toMatchObject({ key: 'fly', bit: 1 << 21, group: 'manage', isFirst: false })
  })

  it('of the whole community have no cell elsewhere', () => {
    const line = rightsLine({ level: 'group', id: 'g' }, 'Lobby')
    expect(hasColumn(line, column('kick'))).toBe(false)
    expect(hasColumn(line, column('speak'))).toBe(true)
    expect(hasColumn(rightsLine({ level: 'community' }, 'c'), column('kick'))).toBe(true)
  })
})

describe('a cell', () => {
  const line = rightsLine({ level: 'topic', id: 't' }, 'Events', {
    settable: rightsOf('speak', 'pin'),
    allow: rightsOf('speak'),
    deny: rightsOf('react'),
    inherited: rightsOf('view', 'react'),
    fromCommunity: rightsOf('view', 'react'),
    fromGroup: rightsOf('speak'),
    fromTopic: rightsOf('attach'),
    fromEveryone: rightsOf('view', 'attach'),
  })

  it('says what is set here and what would hold without it', () => {
    expect(cellAt(line, column('speak'))).toEqual({
      set: true,
      inherited: false,
      source: { level: 'group', isEveryone: false },
      canSet: true,
    })
    expect(cellAt(line, column('react'))).toMatchObject({ set: false, inherited: true, canSet: false })
  })

  it('says where an inherited value comes from, and when no level gives one', () => {
    expect(cellAt(line, column('view')).source).toEqual({ level: 'community', isEveryone: true })
    expect(cellAt(line, column('attach')).source).toEqual({ level: 'topic', isEveryone: true })
    expect(cellAt(line, column('pin'))).toEqual({ set: null, inherited: null, source: null, canSet: true })
  })

  it('knows the group that its topic stands in', () => {
    const lines = [rightsLine({ level: 'community' }, 'c'), rightsLine({ level: 'group', id: 'g' }, 'Lobby'), line]
    const view = { memberGroup: 'everyone', permissions: PERMISSIONS, lines }
    expect(groupAbove(view, 2)).toBe('Lobby')
    expect(groupAbove(view, 0)).toBe('')
  })
})
