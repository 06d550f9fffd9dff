// The regions of the window, and how the keyboard goes round them.
import { tabbablesIn } from './focus'

/** Where the keyboard was in each region when it left. */
const left = new WeakMap<Element, HTMLElement>()

/**
 * Takes the keyboard to the next region, or to the one before. `enter` may know better than this where one begins in it:
 * it says whether it does.
 */
export function goRound(step: 1 | -1, enter: (region: HTMLElement) => boolean): void {
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')]
  const active = document.activeElement
  const from = active?.closest<HTMLElement>('[data-region]') ?? null
  if (from && active instanceof HTMLElement) left.set(from, active)
  const at = from ? regions.indexOf(from) : step === 1 ? -1 : 0
  for (let steps = 1; steps <= regions.length; steps++) {
    const region = regions[(at + steps * step + 2 * regions.length) % regions.length]
    if (region && region !== from && (enter(region) || focusIn(region))) return
  }
}

/** Where the keyboard was, or at what is open there, or at the beginning. */
function focusIn(region: HTMLElement): boolean {
  const stops = tabbablesIn(region)
  const before = left.get(region)
  const to =
    stops.find((stop) => stop === before) ??
    stops.find((stop) => stop.matches('[role=treeitem], [aria-current]')) ??
    stops[0]
  to?.focus()
  return to !== undefined && document.activeElement === to
}
