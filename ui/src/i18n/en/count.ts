const rules = new Intl.PluralRules('en')

/** `1 member`, `12,408 members`: the number is given as it is shown. */
export const count = (n: string, one: string, other: string): string =>
  `${n} ${rules.select(Number(n.replaceAll(',', ''))) === 'one' ? one : other}`
