import type { Plugin } from 'vite'

// A build whose files import each other fails, through however many others they do. The bundler looks for it when types are
// gone, so only values count; and it looks at whatever the page leads to, so no file is passed over.
export function noCircles(): Plugin {
  let found: string[] = []
  return {
    name: 'tulou:no-circles',
    apply: 'build',
    config: () => ({ build: { rolldownOptions: { checks: { circularDependency: true } } } }),
    buildStart() {
      found = []
    },
    onLog(_level, log) {
      if (log.code !== 'CIRCULAR_DEPENDENCY') return true
      const files = new Set(log.ids)
      // A component may stand within itself; what others wrote is as it is.
      const isOurs = files.size > 1 && ![...files].some((file) => file.includes('/node_modules/'))
      if (isOurs) found.push(log.message)
      return false
    },
    // It is said when the bundle is made.
    closeBundle() {
      if (found.length > 0) throw new Error(`files import each other: ${found.join('\n')}`)
    },
  }
}
