// What the table of permissions shows, and what a click on a cell asks for.
import type { AccessPlace, AccessView, PlaceView } from '../api'

/** Allowed, denied or inherited. */
export type Tri = true | false | null

export function placeKey(place: AccessPlace): string {
  return place.level === 'community' ? 'community' : `${place.level}:${place.id}`
}

export function valueAt(view: AccessView, place: AccessPlace, memberGroup: string, permission: string): Tri {
  const key = placeKey(place)
  const cell = view.access.find((one) => one.memberGroup === memberGroup && placeKey(one.place) === key)
  if (cell?.allow.includes(permission)) return true
  if (cell?.deny.includes(permission)) return false
  return null
}

export function isPendingAt(view: AccessView, place: AccessPlace, memberGroup: string): boolean {
  const key = placeKey(place)
  return view.access.some((one) => one.isPending && one.memberGroup === memberGroup && placeKey(one.place) === key)
}

/** A click goes round: inherit, allow, deny. */
export function nextValue(value: Tri): Tri {
  return value === null ? true : value ? false : null
}

/** A permission of the whole community cannot be set for a group or topic. */
export function hasColumn(place: PlaceView, isCommunityOnly: boolean): boolean {
  return !isCommunityOnly || place.place.level === 'community'
}
