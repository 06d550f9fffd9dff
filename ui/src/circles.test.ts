import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { build } from 'vite'
import { noCircles } from '../circles'

let folder = ''

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tulou-circles-'))
})

afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** Builds a page of these files, as the window is built. */
async function built(files: Record<string, string>): Promise<unknown> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  const entry = join(folder, 'main.ts')
  return await build({
    root: folder,
    configFile: false,
    logLevel: 'silent',
    plugins: [noCircles()],
    build: { write: false, lib: { entry, formats: ['es'] } },
  })
}

test('a circle of three files fails the build and is named', async () => {
  const circle = built({
    'main.ts': "import { hen } from './hen'\nconsole.log(hen)",
    'hen.ts': "import { egg } from './egg'\nexport const hen = () => egg",
    'egg.ts': "import { nest } from './nest'\nexport const egg = () => nest",
    'nest.ts': "import { hen } from './hen'\nexport const nest = () => hen",
  })
  await expect(circle).rejects.toThrow(/hen\.ts -> .*egg\.ts -> .*nest\.ts -> .*hen\.ts/)
})

test('types may lead back, and two may import the same', async () => {
  const files = {
    'main.ts': "import { hen } from './hen'\nimport { nest } from './nest'\nconsole.log(hen, nest)",
    'hen.ts': "import { nest } from './nest'\nexport const hen = (): unknown => nest",
    'nest.ts': "import type { hen } from './hen'\nexport const nest = (it: typeof hen) => it",
  }
  await expect(built(files)).resolves.toBeDefined()
})
