// What a change of rights would take from whoever makes it. He could not take it back: nobody grants a right that he lacks.
import type { AccessPlace, Action, RightsLine, RightsView } from '../api'
import { placeKey } from './access'

/** Changes that may take rights from whoever makes them. */
export type RightsAction = Extract<
  Action,
  { type: 'setAccess' | 'assignMemberGroup' | 'deleteMemberGroup' | 'moveTopic' }
>

/** What would be lost at a place; without the sight of it nothing else is named. */
export type Loss = { place: AccessPlace; name: string; rights: string[] }

/** What is known of the rights of a person: the tables of everyone and of his member groups. */
export type Mine = {
  memberGroups: readonly string[]
  tables: readonly RightsView[]
  /** A topic that stands in another group than in the tables. */
  moved?: { topic: string; group: string }
}

/** A change that cannot take anything from whoever is in these member groups, whatever is set. */
export function isHarmless(action: RightsAction, account: string, memberGroups: readonly string[]): boolean {
  if (action.type === 'moveTopic') return false
  const isMine = memberGroups.includes(action.memberGroup)
  if (action.type === 'setAccess') return action.value === true || !(isMine || action.memberGroup === 'everyone')
  if (action.type === 'assignMemberGroup') return action.member !== account || action.on === isMine
  return !isMine
}

/** The member groups and tables as they would be. For a member group that is joined its table has to be among them. */
function changed(mine: Mine, action: RightsAction): Mine {
  if (action.type === 'moveTopic') return { ...mine, moved: action }
  const others = mine.memberGroups.filter((id) => id !== action.memberGroup)
  if (action.type === 'deleteMemberGroup') return { ...mine, memberGroups: others }
  if (action.type === 'assignMemberGroup')
    return { ...mine, memberGroups: action.on ? [...others, action.memberGroup] : others }
  const { permission, value, place } = action
  const tables = mine.tables.map((table) => {
    if (table.memberGroup !== action.memberGroup) return table
    const bit = 1 << table.permissions.findIndex((one) => one.key === permission)
    const lines = table.lines.map((line) =>
      placeKey(line.place) === placeKey(place)
        ? {
            ...line,
            allow: value === true ? line.allow | bit : line.allow & ~bit,
            deny: value === false ? line.deny | bit : line.deny & ~bit,
          }
        : line,
    )
    return { ...table, lines }
  })
  return { ...mine, tables }
}

/** What is held at each place, by the rule of rights (`protocol::permission`). */
function heldBy({ memberGroups, tables, moved }: Mine, everywhere: readonly RightsLine[], view: number): number[] {
  const rowsOf = (wanted: (memberGroup: string) => boolean) =>
    tables
      .filter((table) => wanted(table.memberGroup))
      .map((table) => new Map(table.lines.map((line) => [placeKey(line.place), line])))
  const everyone = rowsOf((id) => id === 'everyone')
  const groups = rowsOf((id) => memberGroups.includes(id))
  let atCommunity = 0
  const atGroups = new Map<string, number>()
  const heldAt = (place: AccessPlace, above: number): number => {
    let held = above
    for (const rows of [everyone, groups]) {
      const here = rows.map((lines) => lines.get(placeKey(place)))
      held &= ~here.reduce((set, line) => set | (line?.deny ?? 0), 0)
      held |= here.reduce((set, line) => set | (line?.allow ?? 0), 0)
    }
    return held
  }
  for (const { place } of everywhere) {
    if (place.level === 'community') atCommunity = heldAt(place, 0)
    if (place.level === 'group') atGroups.set(place.id, heldAt(place, atCommunity))
  }
  let group = ''
  return everywhere.map(({ place }) => {
    if (place.level === 'group') group = place.id
    const above = place.level === 'topic' && moved?.topic === place.id ? moved.group : group
    const held =
      place.level === 'community'
        ? atCommunity
        : place.level === 'group'
          ? (atGroups.get(place.id) ?? 0)
          : heldAt(place, atGroups.get(above) ?? atCommunity)
    return (held & view) === 0 ? 0 : held
  })
}

/** What a change would take from a person, each right at the highest place only. */
export function lossesBy(action: RightsAction, mine: Mine): Loss[] {
  const [first] = mine.tables
  if (!first) return []
  const view = 1 << first.permissions.findIndex((one) => one.key === 'view')
  const before = heldBy(mine, first.lines, view)
  const after = heldBy(changed(mine, action), first.lines, view)
  let fromCommunity = 0
  let fromGroup = 0
  return first.lines.flatMap(({ place, name }, at) => {
    const lost = (before[at] ?? 0) & ~(after[at] ?? 0)
    const above = place.level === 'topic' ? fromGroup | fromCommunity : place.level === 'group' ? fromCommunity : 0
    if (place.level === 'community') fromCommunity = lost
    if (place.level !== 'topic') fromGroup = place.level === 'group' ? lost : 0
    const said = (lost & view) === 0 ? lost & ~above : (above & view) === 0 ? view : 0
    const rights = first.permissions.filter((_, bit) => (said & (1 << bit)) !== 0).map((one) => one.key)
    return rights.length > 0 ? [{ place, name, rights }] : []
  })
}
