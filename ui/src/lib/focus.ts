// Where the keyboard goes when what had it is gone: near to where it was, never to the page as a whole.

const TABBABLE =
  'a[href], button:not(:disabled), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), [tabindex]'

function canTakeFocus(element: HTMLElement): boolean {
  return element.isConnected && element.closest('[inert], [hidden]') === null && !element.matches(':disabled')
}

/** What Tab would reach within an element, in its order. */
export function tabbablesIn(root: ParentNode): HTMLElement[] {
  return [...root.querySelectorAll<HTMLElement>(TABBABLE)].filter(
    (element) => element.tabIndex >= 0 && canTakeFocus(element),
  )
}

/** What can have the keyboard of an element and all that it stands in, the innermost first. */
export function standsIn(element: Element | null | undefined): Element[] {
  const found: Element[] = []
  for (let at = element; at; at = at.parentElement)
    if (at.matches(TABBABLE) && at.closest('[aria-hidden=true]') === null) found.push(at)
  return found
}

/**
 * Gives the keyboard to the first element that can have it, and otherwise to where things are written: never to a button
 * that happens to come first, which the next blank would press. Of several such places the innermost is meant.
 */
export function giveFocus(...wanted: (Element | null | undefined)[]): void {
  for (const element of wanted) {
    if (!(element instanceof HTMLElement) || element === document.body || !canTakeFocus(element)) continue
    element.focus({ preventScroll: true })
    if (document.activeElement === element) return
  }
  const dialogs = document.querySelectorAll<HTMLElement>('[aria-modal=true]')
  const dialog = dialogs.item(dialogs.length - 1)
  const home = dialog ? [dialog] : [...document.querySelectorAll<HTMLElement>('[data-focus-home]')].reverse()
  for (const element of home) {
    element?.focus({ preventScroll: true })
    if (element && document.activeElement === element) return
  }
}

const TAKES_LETTERS = 'input, textarea, select, [contenteditable], [role=tree] *, [role=grid] *'

/** Whether a key writes a letter while nothing has the keyboard that does anything with letters. */
export function isUntaken(event: KeyboardEvent, within: Element | undefined): boolean {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return false
  if ([...event.key].length !== 1 || event.key === ' ' || !(event.target instanceof Element)) return false
  const isWithin = event.target === document.body || within?.contains(event.target) === true
  return isWithin && !event.target.matches(TAKES_LETTERS)
}

/** Where an element stands: its ancestors, the innermost first, each with the place of the one within. */
type Stand = readonly (readonly [ancestor: Element, place: number])[]

function standOf(element: Element): Stand {
  const stand: [Element, number][] = []
  for (let at = element; at.parentElement; at = at.parentElement)
    stand.push([at.parentElement, [...at.parentElement.children].indexOf(at)])
  return stand
}

/** The element that took the place of the one that stood there, or the one before it. */
function heirOf(stand: Stand): HTMLElement | null {
  for (const [ancestor, place] of stand) {
    if (!ancestor.isConnected || ancestor === document.body) continue
    const children = [...ancestor.children]
    for (const child of [...children.slice(place), ...children.slice(0, place).reverse()]) {
      if (child instanceof HTMLElement && child.matches(TABBABLE) && child.tabIndex >= 0 && canTakeFocus(child))
        return child
      const inside = tabbablesIn(child)[0]
      if (inside) return inside
    }
    // A dialog that has nothing to choose is read as a whole.
    if (ancestor.matches('[aria-modal=true]') && ancestor instanceof HTMLElement) return ancestor
  }
  return null
}

/** Watches a document: when what has the keyboard is taken away or disabled, its neighbour gets it. */
export function keepFocus(root: Document): () => void {
  let last: HTMLElement | null = null
  let stand: Stand = []
  /** What lost the keyboard because it was disabled, and who has it for as long. */
  let waiting: { for: HTMLElement; at: Element | null } | null = null

  const note = (event: FocusEvent): void => {
    if (!(event.target instanceof HTMLElement)) return
    last = event.target
    stand = standOf(last)
  }
  /** A press on nothing takes the keyboard away, and is meant to. */
  const forget = (): void => {
    if (root.activeElement === root.body) last = null
  }
  const mend = (): void => {
    if (waiting && canTakeFocus(waiting.for) && root.activeElement === waiting.at) {
      const back = waiting.for
      waiting = null
      back.focus({ preventScroll: true })
      return
    }
    if (waiting && root.activeElement !== waiting.at) waiting = null
    if (!last || canTakeFocus(last)) return
    if (root.activeElement !== root.body && root.activeElement !== last && root.activeElement !== null) return
    const lost = last
    last = null
    giveFocus(heirOf(stand))
    if (lost.isConnected) waiting = { for: lost, at: root.activeElement }
  }
  // What comes in its place may take the keyboard by itself, within the frame.
  let asked = 0
  const ask = (): void => {
    if (asked === 0) asked = requestAnimationFrame(() => ((asked = 0), mend()))
  }
  const observer = new MutationObserver(ask)
  observer.observe(root.body, {
    childList: true,
    subtree: true,
    attributes: true,
    attributeFilter: ['disabled', 'inert'],
  })
  root.addEventListener('focusin', note)
  root.addEventListener('pointerup', forget)
  return () => {
    observer.disconnect()
    cancelAnimationFrame(asked)
    root.removeEventListener('focusin', note)
    root.removeEventListener('pointerup', forget)
  }
}
