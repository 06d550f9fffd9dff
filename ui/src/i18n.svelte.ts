// The window's words: one typed catalogue per language, and numbers and dates as each language writes them.
import type { KeyringView, Language, RejectionView, WindowError } from './api'
import { en } from './i18n/en'
import { zhCN, type Messages } from './i18n/zh-CN'
import { isolating, withoutTurns } from './lib/isolate'
import { system } from './lib/shortcuts'
import { today } from './lib/today.svelte'

export type Locale = 'zh-CN' | 'en'

/** What is put into their sentences turns nothing around it. Each is made when it is asked for: a window shows one. */
export const catalogues: Readonly<Record<Locale, Messages>> = {
  get 'zh-CN'() {
    return (made['zh-CN'] ??= isolating(zhCN))
  },
  get en() {
    return (made.en ??= isolating(en))
  },
}
const made: Partial<Record<Locale, Messages>> = {}

/** Punctuation that brings its own blank. */
const FULL_WIDTH_END = /[。！？：；，、…）」』】》”]$/

/** A blank between a number and the word behind it, as in the catalogue. */
const spaced = (text: string): string => text.replace(/(?<=\d)(?=\p{Script=Han})/u, ' ')

/** The locale of a language setting on a system that speaks `systemLanguages`. */
export function localeOf(language: Language, systemLanguages: readonly string[]): Locale {
  if (language !== 'system') return language
  return systemLanguages[0]?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en'
}

class I18n {
  locale = $state<Locale>('en')
  readonly t = $derived(catalogues[this.locale])
  readonly #number = $derived(new Intl.NumberFormat(this.locale))
  readonly #list = $derived(new Intl.ListFormat(this.locale, { type: 'conjunction' }))
  readonly #time = $derived(
    new Intl.DateTimeFormat(this.locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
  )
  readonly #day = $derived(
    new Intl.DateTimeFormat(this.locale === 'en' ? 'en-GB' : this.locale, {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
    }),
  )
  readonly #dayOfYear = $derived(
    new Intl.DateTimeFormat(this.locale === 'en' ? 'en-GB' : this.locale, {
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
    }),
  )
  readonly #ago = $derived(new Intl.RelativeTimeFormat(this.locale, { numeric: 'auto' }))
  readonly #full = $derived(
    new Intl.DateTimeFormat(this.locale === 'en' ? 'en-GB' : this.locale, { dateStyle: 'medium', timeStyle: 'short' }),
  )

  use(language: Language): void {
    this.locale = localeOf(language, navigator.languages)
    document.documentElement.lang = this.locale
  }

  number(n: number): string {
    return this.#number.format(n)
  }

  list(items: readonly string[]): string {
    return this.#list.format(items)
  }

  /** `20:14` */
  time(ms: number): string {
    return this.#time.format(ms)
  }

  /** `Today`, `Yesterday`, `Sunday, 22 November`; with the year when it is another one. */
  day(ms: number): string {
    const days = today.daysSince(ms)
    if (days === 0) return this.t.timeline.today
    if (days === 1) return this.t.timeline.yesterday
    const isThisYear = new Date(ms).getFullYear() === new Date(today.start).getFullYear()
    return (isThisYear ? this.#day : this.#dayOfYear).format(ms)
  }

  /** `29 November 2026` */
  date(ms: number): string {
    return new Intl.DateTimeFormat(this.locale === 'en' ? 'en-GB' : this.locale, { dateStyle: 'long' }).format(ms)
  }

  full(ms: number): string {
    return this.#full.format(ms)
  }

  /** A day that something began: how long ago, and after a week which day it was. */
  since(ms: number): string {
    const days = today.daysSince(ms)
    if (days < 0 || days >= 7) return this.date(ms)
    return spaced(this.#ago.format(-days, 'day'))
  }

  /** Things in a row, without a word before the last: what is lacking is no “and”. */
  row(items: readonly string[]): string {
    return items.join(this.locale === 'en' ? ', ' : '、')
  }

  /** Sentences one after the other: no blank behind punctuation that brings its own. */
  sentences(...parts: readonly string[]): string {
    return parts.filter((part) => part !== '').reduce((text, part) => text + this.gapAfter(text) + part, '')
  }

  /** What stands between a sentence and the next one. */
  gapAfter(text: string): string {
    return text === '' || FULL_WIDTH_END.test(text) ? '' : ' '
  }

  /** `3.2 MB` */
  size(bytes: number): string {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte']
    const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
    const shown = bytes / 1000 ** step
    return new Intl.NumberFormat(this.locale, {
      style: 'unit',
      unit: units[step] ?? 'byte',
      unitDisplay: 'short',
      maximumFractionDigits: step > 0 && shown < 10 ? 1 : 0,
    }).format(shown)
  }

  /** A name to show; a deleted account has none. One that came from elsewhere may still hold what turns it. */
  person(name: string): string {
    return name === '' ? this.t.security.deletedName : withoutTurns(name)
  }

  /** The name of somebody inside a sentence, with the account name where there is one to tell him from others by. */
  someone({ name, accountName }: { name: string; accountName?: string | null }): string {
    const shown = this.person(name)
    return accountName && accountName !== shown ? this.t.names.beside(shown, accountName) : shown
  }

  /** What a message shows on one line, with the window's word for everyone. */
  excerpt(line: string): string {
    return line.replaceAll('<@everyone>', `@${this.t.everyone}`)
  }

  permission(key: string): string {
    return key in this.t.permissions ? this.t.permissions[key as keyof Messages['permissions']] : key
  }

  /** The same at the head of a narrow column. */
  permissionHead(key: string): string {
    const heads = this.t.permissionHeads
    return key in heads ? heads[key as keyof typeof heads] : key
  }

  /** `3 days`: the largest unit that is full. */
  span(ms: number): string {
    const [n, unit] = this.spanOf(ms)
    return spaced(new Intl.NumberFormat(this.locale, { style: 'unit', unit, unitDisplay: 'long' }).format(n))
  }

  /** How many of the largest unit that is full. */
  spanOf(ms: number): [n: number, unit: string] {
    const minutes = Math.max(1, Math.floor(ms / 60_000))
    if (minutes < 60) return [minutes, 'minute']
    if (minutes < 24 * 60) return [Math.floor(minutes / 60), 'hour']
    return [Math.floor(minutes / (24 * 60)), 'day']
  }

  method(method: string): string {
    const methods = this.t.rejected.methods
    return method in methods ? methods[method as keyof typeof methods] : methods.other
  }

  rejection(rejection: RejectionView): string {
    const errors = this.t.errors
    switch (rejection.code) {
      case 'not_allowed':
        return errors.not_allowed(rejection.permission ? this.permission(rejection.permission) : '')
      case 'too_long':
        return this.#tooLong(rejection)
      case 'too_many':
        return this.#tooMany(rejection)
      case 'sign_ups':
        return errors.sign_ups(rejection.retryAfterS === null ? '' : this.number(Math.ceil(rejection.retryAfterS / 60)))
      case 'busy':
        return errors.busy(rejection.retryAfterS === null ? '' : this.number(rejection.retryAfterS))
      case 'unknown':
        return errors.not_named
      default: {
        const known = Object.hasOwn(errors, rejection.code) ? errors[rejection.code as keyof typeof errors] : undefined
        return typeof known === 'string' ? known : errors.unknown(rejection.code)
      }
    }
  }

  #tooLong({ limit, count, of }: RejectionView): string {
    const errors = this.t.errors
    if (limit === null) return errors.too_long('')
    if (count != null && (of === 'characters' || of === 'bytes'))
      return errors.too_long_by[of](this.number(limit), this.number(count))
    return errors.too_long(this.number(limit))
  }

  #tooMany({ limit, of }: RejectionView): string {
    const errors = this.t.errors
    if (limit === null) return errors.too_many('')
    const known = errors.too_many_of
    if (of != null && Object.hasOwn(known, of)) return known[of as keyof typeof known](this.number(limit))
    return errors.too_many(this.number(limit))
  }

  /** Why a link or a server cannot be used, if the code says so. */
  because(cause: Pick<WindowError, 'code' | 'about'>): string | null {
    const because = this.t.because
    if (!Object.hasOwn(because, cause.code)) return null
    const about = cause.about ?? ''
    const isTime = /^\d{4}-\d\d-\d\dT/.test(about)
    return because[cause.code as keyof typeof because](isTime ? this.date(Date.parse(about)) : about)
  }

  /** What the system calls its keyring. */
  get keyring(): string {
    return this.t.keyring.names[system()]
  }

  /** What whoever is about to type a password has to know of the keyring; empty if nothing. */
  keyringNote(keyring: KeyringView): string {
    if (keyring === 'works') return ''
    return keyring === 'missing' ? this.t.keyring.missing : this.t.keyring.does[keyring](this.keyring)
  }

  /** Why the server on this computer does not run, and what helps. */
  hostFailure(code: string): string {
    const failures = this.t.reach.failures
    return Object.hasOwn(failures, code) ? failures[code as keyof typeof failures] : failures.host_failed
  }

  error(error: WindowError): string {
    const because = this.because(error)
    if (because !== null) return because
    const { host_failed } = this.t.errors
    if (error.code === 'host_failed') {
      const failures = this.t.reach.failures
      const isKnown = error.about != null && error.about !== 'host_failed' && Object.hasOwn(failures, error.about)
      return isKnown ? this.sentences(host_failed, failures[error.about as keyof typeof failures]) : host_failed
    }
    return this.rejection(error.rejection ?? { code: error.code, permission: null, limit: null, retryAfterS: null })
  }
}

/** The words of the window, in the language that the person chose. */
export const i18n = new I18n()
