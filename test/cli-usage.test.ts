// test/cli-usage.test.ts: what the command says of itself, and to those who mistype it or know LTTng's.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { lttngVerbs } from '../lib/cli/options/lttng-verbs.js'
import { unknownVerb } from '../lib/cli/options/unknown-verb.js'
import { whyMissing } from '../lib/cli/relay/load-relay.js'
import { version } from '../lib/version.js'
import { blkin, startBlkin } from './support/cli.js'
import { folder, root } from './support/run.js'
import { describeWith } from './support/tools.js'

const verbs = [
  ...[
    'ps',
    'list',
    'enable',
    'disable',
    'rules',
    'record',
    'tail',
    'top',
    'relay',
    'view',
    'sql',
    'repair',
    'traces',
    'trace',
  ],
  ...['status', 'overhead', 'completion', 'help'],
]

describe('help', () => {
  test('of each verb fits a screen, and ends with exit codes and an example of it', async () => {
    for (const verb of verbs) {
      const { code, out, err } = await blkin('help', verb)
      expect({ code, err }, verb).toEqual({ code: 0, err: '' })
      const lines = out.trimEnd().split('\n')
      expect(lines.length, verb).toBeLessThanOrEqual(24)
      for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(80)
      expect(out, verb).toMatch(/\n\nExit: 0 .*\nExample: /)
      expect(out.split('Example: ')[1], verb).toContain(`blkin ${verb}`)
    }
  })

  test('is the same by --help, -h and help; without a verb it lists them', async () => {
    const asked = [['help', 'ps'], ['ps', '--help'], ['ps', '-h']] // biome-ignore format: a list
    const [one, ...others] = await Promise.all(asked.map((args) => blkin(...args)))
    for (const other of others) expect(other).toEqual(one)
    const { out } = await blkin('help')
    expect([...out.matchAll(/^ {2}(\w+) {2,}\S/gm)].map(([, verb]) => verb)).toEqual(verbs)
    expect((await blkin('--help')).out).toBe(out)
  })

  test('-v and --version say the version', async () => {
    for (const flag of ['-v', '--version']) expect((await blkin(flag)).out).toBe(`${version}\n`)
  })
})

describe('what is mistyped', () => {
  test.each([
    [['recrod'], 'no verb "recrod"; nearest: record'],
    [['help', 'tial'], 'no verb "tial"; nearest: tail'],
    [['xyzzy', '--all'], `no verb "xyzzy"; there are ${verbs.join(', ')}`],
    [['record', '--fitler', 'a > 1'], "unknown option '--fitler' (Did you mean --filter?)"],
    [['-x'], "unknown option '-x'"],
  ])('%j is answered on stderr with what is near, and exit code 2', async (args, words) => {
    expect(await blkin(...args)).toEqual({ code: 2, out: '', err: `blkin: ${words}\n` })
  })

  test.each([
    [['enable', 'a:*', '-p', ''], '--pid: "": expected a pid, or the name of programs such as "server*"'],
    [['record', '-o', '', '-e', 'a:*', '--', 'true'], '--output: "": expected a folder'],
    [['relay', '--output', ''], '--output: "": expected a folder'],
    [['view', ''], 'TRACE: "": expected a folder'],
  ])('%j: nothing is no value', async (args, words) => {
    expect(await blkin(...args)).toEqual({ code: 2, out: '', err: `blkin: ${words}\n` })
  })

  test("LTTng's verbs are told what they are called here, in one line", async () => {
    for (const verb of ['create', 'enable-event', 'snapshot']) {
      const { code, err } = await blkin(verb, 'whatever', '--kernel')
      expect(err).toBe(`blkin: ${verb} is LTTng's; here: ${lttngVerbs[verb]}\n`)
      expect(code).toBe(2)
    }
    expect(unknownVerb('constructor', verbs).message, 'no key of Object').toMatch(/^no verb "constructor"/)
  })
})

describeWith(['lttng-sessiond'], 'of LTTng', () => {
  test('each verb that is not called the same here is in the table', () => {
    const { stdout } = spawnSync('lttng', ['--list-commands'], { encoding: 'utf8' })
    const theirs = stdout
      .trim()
      .split('\n')
      .map((line) => line.trim())
    expect(theirs).toContain('enable-event')
    for (const verb of theirs)
      expect(verbs.includes(verb) || Object.hasOwn(lttngVerbs, verb), verb).toBe(true)
  })
})

describe('a package that is missing', () => {
  const why = (code: string, message: string) => whyMissing(Object.assign(new Error(message), { code }))

  test('is named: the relay, or what the relay needs', () => {
    const from = `imported from ${root}/relay/dist/protocol/wire.js`
    expect(why('ERR_MODULE_NOT_FOUND', `Cannot find package '@blkin/relay' ${from}`)).toBe(
      'this verb needs the package @blkin/relay: npm install blkin @blkin/relay',
    )
    expect(why('MODULE_NOT_FOUND', "Cannot find module '@scope/name'\nRequire stack:\n- /a/otlp.js")).toBe(
      '@blkin/relay needs the package @scope/name, which is not installed: npm install blkin @blkin/relay anew',
    )
    const binding = '@duckdb/node-bindings-linux-x64'
    expect(why('MODULE_NOT_FOUND', `Cannot find module '${binding}/duckdb.node'`)).toBe(
      `@blkin/relay needs ${binding}, an optional dependency that is not installed: npm install without --omit=optional`,
    )
  })

  test.each([
    [
      '@duckdb/node-api',
      /^blkin: @blkin\/relay needs the package @duckdb\/node-api, which is not installed: .*\n$/,
    ],
    [
      `@duckdb/node-bindings-linux-${process.arch}`,
      /^blkin: spans are kept in DuckDB, and DuckDB's binary for linux-\w+ is not installed; .* --omit=optional\n$/,
    ],
  ])('%s: the verb that needs it says so in one line, and ends', async (missing, words) => {
    const hook = join(folder(), 'hook.mjs')
    writeFileSync(
      hook,
      `import Module, { register } from 'node:module'
const isMissing = (request) => request === '${missing}' || request.startsWith('${missing}/')
const resolve = Module._resolveFilename
Module._resolveFilename = (request, ...rest) => {
  if (!isMissing(request)) return resolve(request, ...rest)
  throw Object.assign(new Error("Cannot find module '" + request + "'"), { code: 'MODULE_NOT_FOUND' })
}
register('data:text/javascript,' + encodeURIComponent(\`
  const isMissing = (request) => request === '${missing}' || request.startsWith('${missing}/')
  export async function resolve(request, context, next) {
    if (!isMissing(request)) return next(request, context)
    const words = "Cannot find package '" + request + "' imported from " + context.parentURL
    throw Object.assign(new Error(words), { code: 'ERR_MODULE_NOT_FOUND' })
  }\`))`,
    )
    const here = '127.0.0.1:0'

    const args = ['relay', '--listen', here, '--http', here, '-o', folder()]
    const { code, err } = await startBlkin(args, { NODE_OPTIONS: `--import ${hook}` }).done
    expect(err).toMatch(words)
    expect(code).toBe(1)
  })

  test('is not what any other error is taken for', () => {
    expect(why('ERR_MODULE_NOT_FOUND', "Cannot find module '/a/b.js' imported from /a/c.js")).toBeUndefined()
    expect(why('ERR_DLOPEN_FAILED', "Cannot find module 'thrift'")).toBeUndefined()
  })
})
