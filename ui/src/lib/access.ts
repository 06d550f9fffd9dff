// The table of rights as it is shown: its columns in groups, and what each cell says.
import type { AccessPlace, PermissionView, RightsLine, RightsView } from '../api'
import type { IconName } from './icons'
import { letterOf } from './shortcuts'

/** Allowed, denied, or neither. */
export type Tri = true | false | null

/** What a key sets: A allows, D denies, I inherits. */
export function valueOf(event: KeyboardEvent): Tri | undefined {
  return { a: true, d: false, i: null }[letterOf(event) ?? '']
}

export const COLUMN_GROUPS = ['read', 'write', 'moderate', 'manage'] as const
export type ColumnGroup = (typeof COLUMN_GROUPS)[number]

/** Where each right stands, and its picture. */
const COLUMNS: Record<ColumnGroup, readonly [string, IconName][]> = {
  read: [
    ['view', 'eye'],
    ['readHistory', 'clock'],
    ['joinVoice', 'headphones'],
  ],
  write: [
    ['speak', 'message'],
    ['attach', 'clip'],
    ['react', 'smile'],
    ['speakVoice', 'microphone'],
    ['mentionAll', 'at'],
    ['bypassSlowMode', 'gauge'],
  ],
  moderate: [
    ['pin', 'pin'],
    ['recallOthers', 'undo'],
    ['mute', 'mute'],
    ['approveMembers', 'approve'],
    ['kick', 'leave'],
    ['ban', 'ban'],
  ],
  manage: [
    ['manageTopics', 'hash'],
    ['invite', 'link'],
    ['assignMemberGroups', 'tag'],
    ['manageMemberGroups', 'people'],
    ['manageCommunity', 'gear'],
    ['viewAudit', 'scroll'],
  ],
}

export type Column = {
  key: string
  /** Its bit in the sets of a line. */
  bit: number
  icon: IconName
  group: ColumnGroup
  isCommunityOnly: boolean
  /** The first of its group. */
  isFirst: boolean
}

/** The columns in the order in which they stand; a right that the window does not know comes last. */
export function columnsOf(permissions: readonly PermissionView[]): Column[] {
  const bits = new Map(permissions.map((permission, at) => [permission.key, { permission, bit: 1 << at }]))
  const columns: Column[] = []
  const add = (key: string, icon: IconName, group: ColumnGroup): void => {
    const known = bits.get(key)
    if (!known) return
    bits.delete(key)
    const { bit, permission } = known
    const isFirst = columns.at(-1)?.group !== group
    columns.push({ key, bit, icon, group, isCommunityOnly: permission.isCommunityOnly, isFirst })
  }
  for (const group of COLUMN_GROUPS) for (const [key, icon] of COLUMNS[group]) add(key, icon, group)
  for (const key of [...bits.keys()]) add(key, 'question', 'manage')
  return columns
}

/** What decided on a right that nothing was set for at this place. */
export type Source = { level: AccessPlace['level']; isEveryone: boolean }

export type Cell = {
  /** What is set here. */
  set: Tri
  /** What comes from elsewhere; null: no level gives or takes it. */
  inherited: Tri
  source: Source | null
  canSet: boolean
}

export function cellAt(line: RightsLine, { bit }: Pick<Column, 'bit'>): Cell {
  const has = (set: number): boolean => (set & bit) !== 0
  const level = has(line.fromTopic)
    ? 'topic'
    : has(line.fromGroup)
      ? 'group'
      : has(line.fromCommunity)
        ? 'community'
        : null
  return {
    set: has(line.allow) ? true : has(line.deny) ? false : null,
    inherited: level === null ? null : has(line.inherited),
    source: level === null ? null : { level, isEveryone: has(line.fromEveryone) },
    canSet: has(line.settable),
  }
}

/** A right of the whole community cannot be set for a group or topic. */
export function hasColumn(line: RightsLine, column: Column): boolean {
  return !column.isCommunityOnly || line.place.level === 'community'
}

export function placeKey(place: AccessPlace): string {
  return place.level === 'community' ? 'community' : `${place.level}:${place.id}`
}

/** The name of the group that the line of a topic stands under. */
export function groupAbove(view: RightsView, at: number): string {
  for (let above = at; above >= 0; above -= 1) {
    const line = view.lines[above]
    if (line?.place.level === 'group') return line.name
  }
  return ''
}
