import { i18n } from '../i18n.svelte'

/**
 * What a field that keeps a form from being sent says: in the window's language, where the web view would speak the
 * system's. For the document's `invalid` events, which are heard only on the way down.
 */
export function sayWhatIsMissing(event: Event): void {
  const field = event.target
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) return
  field.setCustomValidity('')
  const { valueMissing, tooShort, patternMismatch } = field.validity
  if (valueMissing) field.setCustomValidity(i18n.t.field.missing)
  else if (tooShort) field.setCustomValidity(i18n.t.field.tooShort(i18n.number(field.minLength)))
  else if (patternMismatch) field.setCustomValidity(i18n.t.first.accountNameHint)
  // One field may fill another, so whatever is typed in the form has it looked at again.
  const form = field.form ?? field
  form.addEventListener('input', () => field.setCustomValidity(''), { once: true })
}
