import { configure } from '@testing-library/svelte'
import { afterEach, expect } from 'vitest'

// A busy machine takes its time.
configure({ asyncUtilTimeout: 10_000 })

// What Svelte warns of is a fault like any other.
const warned: string[] = []
const warn = console.warn
console.warn = (...said: unknown[]) => {
  if (String(said[0]).startsWith('[svelte]')) warned.push(String(said[0]))
  warn(...said)
}
afterEach(() => {
  expect(warned.splice(0), 'Svelte has nothing to warn of').toEqual([])
})

// What jsdom lacks and the components use.
HTMLCanvasElement.prototype.getContext = () => null
if (!('inert' in HTMLElement.prototype))
  Object.defineProperty(HTMLElement.prototype, 'inert', {
    get(this: HTMLElement) {
      return this.hasAttribute('inert')
    },
    set(this: HTMLElement, isInert: boolean) {
      this.toggleAttribute('inert', isInert)
    },
  })
/** What rests takes no keyboard. */
const focus = HTMLElement.prototype.focus
HTMLElement.prototype.focus = function (this: HTMLElement, options?: FocusOptions) {
  if (this.closest('[inert]') === null) focus.call(this, options)
}
window.matchMedia ??= (query: string) =>
  ({ matches: false, media: query, addEventListener: () => undefined, removeEventListener: () => undefined }) as never
/** Everything is laid out at once: a line is 30 px high, what scrolls 600 px, as a virtual list needs to know. */
globalThis.ResizeObserver ??= class {
  readonly #watched = new Set<Element>()
  constructor(private readonly tell: ResizeObserverCallback) {}
  observe(target: HTMLElement): void {
    this.#watched.add(target)
    const height = ['tree', 'timeline', 'access-table'].includes(target.dataset.testid ?? '') ? 600 : 30
    queueMicrotask(() => {
      if (this.#watched.has(target)) this.tell([{ target, contentRect: { width: 300, height } } as never], this)
    })
  }
  unobserve(target: Element): void {
    this.#watched.delete(target)
  }
  disconnect(): void {
    this.#watched.clear()
  }
}
Object.defineProperty(HTMLElement.prototype, 'offsetParent', {
  configurable: true,
  get(this: HTMLElement) {
    return this.parentElement
  },
})
Element.prototype.scrollIntoView ??= () => undefined
Element.prototype.scrollTo = function (this: Element, to: ScrollToOptions) {
  this.scrollTop = Math.max(0, to.top ?? this.scrollTop)
  this.dispatchEvent(new Event('scroll'))
} as never
Element.prototype.scrollBy = function (this: Element, by: ScrollToOptions) {
  this.scrollTo({ top: this.scrollTop + (by.top ?? 0) })
} as never
globalThis.CSS ??= { escape: (value: string) => value.replaceAll(/[^\w-]/g, '\\$&') } as never
