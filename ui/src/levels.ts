// Notification levels: which messages of a place count and notify, who decides, and the menu that sets it.
import type { LevelName, LevelPlace, LevelView } from './api'
import { i18n } from './i18n.svelte'
import { spotOf, type MenuItem, type Spot } from './state/dialogs.svelte'
import type { WindowState } from './state/window.svelte'

const HOUR_MS = 60 * 60_000
/** Tomorrow begins when people get up. */
const MORNING_HOUR = 8

/** How long a level can be set for. */
export type Duration = 'forGood' | 'oneHour' | 'eightHours' | 'untilTomorrow'

/** When a duration that begins at `now` ends, in milliseconds since 1970; null: never. */
export function endOf(duration: Duration, now: number): number | null {
  switch (duration) {
    case 'forGood':
      return null
    case 'oneHour':
      return now + HOUR_MS
    case 'eightHours':
      return now + 8 * HOUR_MS
    case 'untilTomorrow': {
      const day = new Date(now)
      day.setDate(day.getDate() + 1)
      day.setHours(MORNING_HOUR, 0, 0, 0)
      return day.getTime()
    }
  }
}

/** What holds and who decides it: “Nothing, because of the group “Work””. */
export function levelInWords(view: LevelView): string {
  const t = i18n.t.levels
  const level = t.names[view.holds]
  const decider = view.decidedBy
  switch (decider.by) {
    case 'topic':
      return t.byTopic(level)
    case 'group':
      return t.byGroup(level, decider.name)
    case 'community':
      return t.byCommunity(level, decider.name)
    case 'global':
      return t.byGlobal(level)
    case 'size':
      return view.holds === 'inherit' ? t.bySize : t.byDefault(level)
  }
}

/** The line of a thing's menu that leads to its level; none when the level cannot be read. */
export function levelItem(
  window: WindowState,
  place: LevelPlace,
  view: LevelView | null,
  name: string,
  at: Spot,
): MenuItem[] {
  if (!view) return []
  return [
    {
      kind: 'item',
      label: i18n.t.levels.title,
      note: levelInWords(view),
      icon: view.holds === 'nothing' ? 'bellOff' : 'bell',
      run: () => void openLevels(window, place, name, at),
    },
  ]
}

/** The level of a place, or null when it cannot be read. */
export async function readLevel(window: WindowState, place: LevelPlace): Promise<LevelView | null> {
  const account = window.place?.account
  return account === undefined ? null : window.api.levelView(account, place).catch(() => null)
}

/** Opens the menu that sets the level of the open topic, at what was pressed. */
export async function openTopicLevels(window: WindowState, at: HTMLElement): Promise<void> {
  const topic = window.topicView
  const community = window.place?.community
  if (!topic || community == null) return
  await openLevels(window, { at: 'topic', community, topic: topic.id }, topic.name, spotOf(at))
}

/** Opens the menu that sets the level of a place. It stays until it is closed, so that a time can be chosen as well. */
async function openLevels(window: WindowState, place: LevelPlace, name: string, at: Spot): Promise<void> {
  const view = await readLevel(window, place)
  if (view) window.menus.openAt(at, levelMenu(window, place, view, name, at), i18n.t.levels.of(name))
}

function levelMenu(window: WindowState, place: LevelPlace, view: LevelView, name: string, at: Spot): MenuItem[] {
  const t = i18n.t.levels
  const set = async (level: LevelName, until: number | null): Promise<void> => {
    if (await window.act({ type: 'setLevel', place, level, until })) await openLevels(window, place, name, at)
  }
  const level = (one: LevelName, label: string): MenuItem => ({
    kind: 'item',
    label,
    isChosen: view.set === one,
    run: () => void set(one, null),
  })
  const wider = { global: t.sizeDecides, community: t.asGlobal, group: t.asCommunity, topic: t.asGroup }[place.at]
  const items: MenuItem[] = [
    { kind: 'title', label: levelInWords(view) },
    level('all', t.names.all),
    level('mentions', t.names.mentions),
    level('nothing', t.names.nothing),
    level('inherit', wider),
  ]
  if (view.set === 'inherit') return items
  const duration = (one: Duration): MenuItem => ({
    kind: 'item',
    label: t.durations[one],
    isChosen: one === 'forGood' && view.until === null,
    run: () => void set(view.set, endOf(one, Date.now())),
  })
  return [
    ...items,
    { kind: 'line' },
    { kind: 'title', label: view.until === null ? t.howLong : t.until(i18n.full(view.until)) },
    duration('forGood'),
    duration('oneHour'),
    duration('eightHours'),
    duration('untilTomorrow'),
  ]
}
