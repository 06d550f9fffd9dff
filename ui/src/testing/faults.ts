// Faults that assistive technology would stumble over; colours cannot be judged without a screen.
import axe from 'axe-core'
import { computeAccessibleDescription, computeAccessibleName } from 'dom-accessibility-api'

export async function faults(root: Element = document.body): Promise<string[]> {
  const result = await axe.run(root, {
    rules: {
      'color-contrast': { enabled: false },
      region: { enabled: false },
      'page-has-heading-one': { enabled: false },
    },
  })
  return [
    ...result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`),
    ...[...root.querySelectorAll('[title], [aria-describedby]')].flatMap(saidTwice),
  ]
}

const HEARD = 'a, button, input, select, textarea, [tabindex], [role]'

/** What is said of a control once more after its name, which says it among other things. */
function saidTwice(control: Element): string[] {
  if (!control.matches(HEARD)) return []
  const [name, said] = [computeAccessibleName(control), computeAccessibleDescription(control)]
  return said !== '' && said !== name && name.includes(said) ? [`said twice: “${said}” in “${name}”`] : []
}
