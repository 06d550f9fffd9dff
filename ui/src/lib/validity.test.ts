import { fireEvent } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { i18n } from '../i18n.svelte'
import { sayWhatIsMissing } from './validity'

beforeEach(() => document.addEventListener('invalid', sayWhatIsMissing, true))
afterEach(() => document.removeEventListener('invalid', sayWhatIsMissing, true))

describe('a field that is not filled in', () => {
  it.each(['zh-CN', 'en'] as const)(
    'says so in the language of the window (%s) until something is typed',
    async (locale) => {
      i18n.locale = locale
      const form = document.body.appendChild(document.createElement('form'))
      const [name, password] = [document.createElement('input'), document.createElement('input')]
      password.required = true
      form.append(name, password)
      expect(password.checkValidity()).toBe(false)
      expect(password.validationMessage).toBe(i18n.t.field.missing)
      password.value = 'filled by another field'
      await fireEvent.input(name)
      expect(password.checkValidity(), 'what was said does not keep the form for ever').toBe(true)
    },
  )
})
