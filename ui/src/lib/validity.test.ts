import { fireEvent } from '@testing-library/svelte'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { i18n } from '../i18n.svelte'
import { ACCOUNT_NAME } from './accountName'
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

  it('says what an account name looks like, before the server does', () => {
    const name = document.body.appendChild(document.createElement('input'))
    name.pattern = ACCOUNT_NAME
    for (const good of ['ab', 'a.b-c_9', '9lives']) {
      name.value = good
      expect(name.checkValidity(), good).toBe(true)
    }
    for (const bad of ['小本', 'Anna', '-a', 'a b', '.x']) {
      name.value = bad
      expect(name.checkValidity(), bad).toBe(false)
      expect(name.validationMessage).toBe(i18n.t.first.accountNameHint)
      name.setCustomValidity('')
    }
  })
})
