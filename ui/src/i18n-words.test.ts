import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { catalogues, i18n, type Locale } from './i18n.svelte'

const root = join(import.meta.dirname, '../..')
const sources = Object.entries(
  import.meta.glob<string>('./**/*.{svelte,ts}', { query: '?raw', import: 'default', eager: true }),
).filter(([path]) => !/\.test\.ts$|\/i18n\/|\/testing\/|bindings\.ts$/.test(path))

/** Parts of the catalogue that are looked up by a key that comes from elsewhere, and where it comes from. */
const DYNAMIC: Record<string, string> = {
  me: 'the state of the connection',
  permissions: 'the rights of the protocol',
  permissionHeads: 'the rights of the protocol',
  'admin.columnGroups': 'the groups of columns in lib/access.ts',
  'explain.levels': 'the levels of a row of access',
  'explain.places': 'the kinds of places',
  because: 'the codes of links and servers that cannot be used',
  errors: 'the codes of rejections and errors',
  'errors.too_long_by': 'what a limit counts',
  'errors.too_many_of': 'what a limit counts',
  'clock.leapt': 'where the server is',
  'clock.behind': 'where the server is',
  'clock.doubted': 'where the server is',
  'rejected.methods': 'the methods of the protocol',
  'reach.failures': 'the codes of a server that does not run',
  'reach.from': 'from where an address can be reached',
  'store.troubles': 'the troubles of a store',
  'list.troubles': 'the troubles of the list of accounts',
  'levels.names': 'the levels of notifications',
  'levels.durations': 'the durations of a level',
  'emoji.group': 'the groups of the set of emoji',
  'emoji.tones': 'the tones of skin',
  'field.over': 'what a limit counts',
  names: 'the marks of a person',
  'keyring.names': 'the system',
  'keyring.does': 'what the keyring does',
  'keyring.kept': 'how it keeps a sign-in',
  link: 'the doubts about a link, beside the keys that are written out',
}
/** Keys in a dynamic part that are written out one by one. */
const WRITTEN_OUT = new Set(['link', 'me', 'names', 'errors'])

function leavesOf(node: object, path: readonly string[] = []): string[] {
  return Object.entries(node).flatMap(([key, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? leavesOf(value, [...path, key])
      : [[...path, key].map((part) => part.replaceAll('.', '/')).join('.')],
  )
}

/** The part of a path that the catalogue has: a leaf, or what is looked into further. */
function resolve(catalogue: object, path: readonly string[]): string {
  let node: unknown = catalogue
  const found: string[] = []
  for (const key of path) {
    if (typeof node !== 'object' || node === null || !Object.hasOwn(node, key)) break
    node = (node as Record<string, unknown>)[key]
    found.push(key)
  }
  return found.join('.')
}

/** Every path of the catalogue that a source names, through names for parts of it too. */
function pathsIn(source: string, catalogue: object): string[] {
  const parts = (text: string): string[] => text.split(/[.\s?]+/).filter((part) => part !== '')
  const paths = [...source.matchAll(/\b(?:i18n|this)\.t\b((?:\s*\.\w+)+)/g)].map(([, path = '']) => parts(path))
  const names = source.matchAll(
    /\bconst (\w+) = (?:\$derived\()?(?:i18n|this)\.t\b((?:\.\w+)*)(?:\[\w+\])?\)?(?=\s*(?:\n|;))/g,
  )
  for (const [, name = '', path = ''] of [...names])
    for (const [, rest = ''] of source.matchAll(new RegExp(`(?<![.\\w])${name}((?:\\.\\w+)+)`, 'g')))
      paths.push([...parts(path), ...parts(rest)])
  return paths.map((path) => resolve(catalogue, path)).filter((path) => path !== '')
}

/** Keys of a catalogue that no source names. */
function deadKeys(catalogue: object): string[] {
  const named = new Set(sources.flatMap(([, source]) => pathsIn(source, catalogue)))
  const isDynamic = (leaf: string): boolean =>
    Object.keys(DYNAMIC).some((path) => leaf.startsWith(`${path}.`) && !WRITTEN_OUT.has(path))
  return leavesOf(catalogue).filter(
    (leaf) => !named.has(leaf) && !isDynamic(leaf) && !DYNAMIC_LEAVES.has(leaf.split('.').at(-1) ?? ''),
  )
}

/** The texts in what a Rust file says of its codes. */
function codesIn(path: string): string[] {
  const source = readFileSync(join(root, path), 'utf8')
  const body = /fn code\(&self\)[^{]*\{\n([\s\S]*?)\n {4}\}\n/.exec(source)?.[1] ?? ''
  const codes = [...body.matchAll(/"([a-z][a-z0-9_]*)"/g)].map(([, code = '']) => code)
  expect(codes.length, `${path} has codes`).toBeGreaterThan(5)
  return codes
}

interface Reference {
  methods: { name: string; 'x-id'?: { type: string } }[]
  components: {
    schemas: {
      Code: { oneOf: { const: string }[] }
      Counted: { oneOf: { const?: string }[] }
      Permissions: { 'x-bits': Record<string, number> }
    }
  }
}
const reference = JSON.parse(readFileSync(join(root, 'docs/openrpc.json'), 'utf8')) as Reference
/** The ids of commands are texts, those of questions numbers; notifications have none. */
const commands = reference.methods.filter((method) => method['x-id']?.type === 'string').map(({ name }) => name)
const rights = Object.keys(reference.components.schemas.Permissions['x-bits'])
const counted = reference.components.schemas.Counted.oneOf.map((one) => one.const)
const refusals = reference.components.schemas.Code.oneOf.map((one) => one.const)
const errors = [
  ...codesIn('crates/client/src/error.rs'),
  ...codesIn('crates/client/src/unusable.rs'),
  ...codesIn('crates/protocol/src/invite.rs'),
  ...codesIn('crates/server/src/backup.rs'),
  'bad_link',
  'host_failed',
]
/** What is said for a code that the program does not know. */
const OWN = ['not_named']
const DYNAMIC_LEAVES = new Set([
  ...refusals,
  ...errors,
  ...['unavailable'],
  ...['connecting', 'syncing', 'synced', 'offline', 'signedOut', 'otherVersion', 'unusable', 'otherKey', 'shut'],
  ...['otherText', 'userInfo', 'lookalike', 'hidden'],
  ...['owner', 'staff'],
])

describe('the keys of the catalogues', () => {
  it('are each used somewhere', () => {
    expect(deadKeys(catalogues['zh-CN'])).toEqual([])
  })

  it('would not hide a dead one', () => {
    const added = { ...catalogues['zh-CN'], tree: { ...catalogues['zh-CN'].tree, nobodyAsks: '没有人用' } }
    expect(deadKeys(added)).toEqual(['tree.nobodyAsks'])
  })

  it('are looked up from elsewhere only where a source does so', () => {
    const named = sources.flatMap(([, source]) => pathsIn(source, catalogues['zh-CN']))
    for (const path of Object.keys(DYNAMIC))
      expect(
        named.some((one) => one === path || path.startsWith(`${one}.`) || one.startsWith(`${path}.`)),
        path,
      ).toBe(true)
  })
})

describe.each(['zh-CN', 'en'] as const)('what went wrong, in %s', (locale) => {
  const none = { permission: null, limit: null, retryAfterS: null }

  it.each([...new Set([...refusals, ...errors])])('has a sentence of its own: %s', (code) => {
    i18n.locale = locale
    const told = i18n.error({ code, message: '', rejection: null, about: null })
    expect(told).not.toBe('')
    expect(told, 'the code is no sentence').not.toContain(i18n.t.errors.unknown(code))
    expect(i18n.rejection({ code, ...none })).not.toBe('')
  })

  it.each([...new Set(codesIn('crates/server/src/error.rs'))])('says why the server does not run: %s', (code) => {
    expect(Object.keys(catalogues[locale].reach.failures)).toContain(code)
  })

  it.each(commands)('says what was not done: %s', (method) => {
    expect(Object.keys(catalogues[locale].rejected.methods)).toContain(method)
  })

  it.each(rights)('names the right that is lacking, also over its column: %s', (right) => {
    expect(Object.keys(catalogues[locale].permissions)).toContain(right)
    expect(Object.keys(catalogues[locale].permissionHeads)).toContain(right)
  })

  it('says of what there are too many, or what is too long', () => {
    const { too_many_of, too_long_by } = catalogues[locale].errors
    const said = [...Object.keys(too_many_of), ...Object.keys(too_long_by), 'other']
    expect(said.sort()).toEqual([...counted].sort())
  })

  it('says why a server did not start, and no more where that is not known', () => {
    i18n.locale = locale
    const told = (about: string) => i18n.error({ code: 'host_failed', message: '', rejection: null, about })
    expect(told('no_room')).toContain(i18n.t.reach.failures.no_room)
    for (const about of ['host_failed', 'toString', '']) expect(told(about)).toBe(i18n.t.errors.host_failed)
  })

  it('has no sentence for a code that nobody gives', () => {
    const given = new Set([...refusals, ...errors, ...OWN])
    expect(
      Object.keys(catalogues[locale].errors).filter((key) => !given.has(key) && !/^too_\w+_(by|of)$/.test(key)),
    ).toEqual([])
  })
})

/** What stands in a catalogue's files between quotes, without what is put into the sentences. */
function textsOf(locale: Locale): [string, string][] {
  const files = import.meta.glob<string>('./i18n/**/*.ts', { query: '?raw', import: 'default', eager: true })
  const own = Object.entries(files).filter(([path]) => path.startsWith(`./i18n/${locale}`))
  expect(own.length).toBeGreaterThan(5)
  return own.flatMap(([path, source]) =>
    source
      .split('\n')
      .filter((line) => !/^(import|\/\*\*|export)/.test(line))
      .flatMap((line) => [...line.matchAll(/'([^'\n]*)'(?!:)|`((?:\$\{[^{}]*\}|[^`$])*)`/g)])
      .map(([, plain, built]): [string, string] => [path, plain ?? built?.replace(/\$\{[^{}]*\}/g, 'X') ?? '']),
  )
}
const FULL_WIDTH = '，。！？：；、（）“”《》…'

describe('what is joined outside of the catalogues', () => {
  it('has no signs of one language between its parts', () => {
    for (const [path, source] of sources) {
      expect(source, path).not.toMatch(/\}(: |, | \()\$\{/)
      expect(source, path).not.toMatch(/="[^"\n]*\}(: |, | \()\{[^"\n]*"/)
      expect(source, path).not.toMatch(/join\((['"`]), \1\)/)
    }
  })
})

describe('the Chinese catalogue', () => {
  const texts = textsOf('zh-CN')

  it('holds no English prose', () => {
    for (const [path, text] of texts) expect(text, path).not.toMatch(/(?:[A-Za-z]{2,}[ ,]+){2,}[A-Za-z]{2,}/)
  })

  it('has no blank after full-width punctuation', () => {
    for (const [path, text] of texts) expect(text, path).not.toMatch(/[，。！？：；、（《] | [，。！？：；、）》]/)
  })

  it('has no half-width punctuation beside a Chinese character', () => {
    for (const [path, text] of texts) expect(text, path).not.toMatch(/\p{Script=Han}[,.!?:;()]|[,!?;()]\p{Script=Han}/u)
  })

  it('has a blank between Chinese and Latin letters or digits', () => {
    for (const [path, text] of texts) {
      const plain = text.replaceAll(/X|\\n/g, '')
      expect(plain, path).not.toMatch(/\p{Script=Han}[A-Za-z0-9]|[A-Za-z0-9]\p{Script=Han}/u)
    }
  })

  it('calls one thing by one word', () => {
    for (const [path, text] of texts) {
      expect(text, `${path}: 您`).not.toContain('你')
      expect(text, `${path}: 服务器管理员`).not.toMatch(/服务器的(主人|管理者|管理员)/)
      expect(text, `${path}: 创建`).not.toMatch(/(?<!重)新建/)
      expect(text, `${path}: 磁盘`).not.toContain('硬盘')
      expect(text, `${path}: 局域网`).not.toContain('本地网络')
      expect(text, `${path}: 话题, 成员组`).not.toMatch(/频道|角色/)
      expect(text, `${path}: 作废 an invite, 撤销 is undoing`).not.toMatch(/(已|先|或)撤销|撤销(一些|这个|链接|邀请)/)
      expect(text, `${path}: 离开 a community, 退出 is signing out`).not.toMatch(/退出(一个|所有社群|社群|“)/)
      expect(text, `${path}: 提及`).not.toMatch(/提到|艾特|@了/)
    }
  })
})

describe('the English catalogue', () => {
  const texts = textsOf('en')

  it('holds no full-width punctuation', () => {
    const wide = FULL_WIDTH.replace(/[“”…]/g, '')
    for (const [path, text] of texts)
      expect(
        [...text].filter((char) => wide.includes(char)),
        `${path}: ${text}`,
      ).toEqual([])
  })

  it('is written as people speak, and calls one thing by one word', () => {
    for (const [path, text] of texts) {
      expect(text, path).not.toMatch(/\b(cannot|could not|do not|does not|is not|are not)\b/i)
      expect(text, `${path}: admin`).not.toMatch(/administrat/i)
      expect(text, `${path}: topic, member group`).not.toMatch(/\b(channel|role)s?\b/i)
      expect(text, `${path}: ’`).not.toContain("\\'")
      expect(text, `${path}: revoke`).not.toMatch(/\b(withdr[ae]w|cancel(l?ed)? (the|this|an) (link|invite))/i)
      expect(text, `${path}: leave`).not.toMatch(/\b(quit|exit)(s|ted)?\b/i)
      expect(text, `${path}: mention`).not.toMatch(/\b(ping|tag)(s|ged)? (you|somebody|people)\b/i)
    }
  })
})
