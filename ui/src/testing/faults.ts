// Faults that assistive technology would stumble over; colours cannot be judged without a screen.
import axe from 'axe-core'

export async function faults(root: Element = document.body): Promise<string[]> {
  const result = await axe.run(root, {
    rules: {
      'color-contrast': { enabled: false },
      region: { enabled: false },
      'page-has-heading-one': { enabled: false },
    },
  })
  return result.violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.html).join(' | ')}`)
}
