// test/transform.test.ts: which calls become static call sites, and which stay the calls that they were.
import { dirname, resolve } from 'node:path'
import { expect, test } from 'vitest'
import type { Following } from '../lib/transform/known.js'
import { Rewriter } from '../lib/transform/rewrite.js'

/** The files of one program; `main` is the one that is rewritten. */
function rewrite(files: Record<string, string>): { code: string; left: readonly string[] } {
  const source = (file: string) => (file in files ? { file, code: files[file] as string } : undefined)
  const drive = <T>(following: Following<T>): T => {
    let step = following.next()
    while (!step.done) {
      const { specifier, from } = step.value
      step = following.next(specifier === 'blkin' ? 'blkin' : source(resolve(dirname(from), specifier)))
    }
    return step.value
  }
  const main = { file: '/main.js', code: files['/main.js'] as string }
  const done = drive(new Rewriter().rewrite(main))
  return { code: done?.code ?? main.code, left: done?.left ?? [] }
}

const on = 'globalThis["blkin:disk:io"]?.[0] !== 0'
const declared = `import { provider, t } from 'blkin'
const disk = provider('disk', { io: {} })\n`

/** What becomes of the last line. */
const last = (code: string, more: Record<string, string> = {}) =>
  rewrite({ '/main.js': code, ...more })
    .code.split('\n')
    .at(-1)

test('a call that is a statement is tested where it stands', () => {
  expect(last(`${declared}disk.io({ a: f() })`)).toBe(`${on} && disk.io({ a: f() })`)
  expect(last(`${declared}if (x) disk.io(); else disk.io()`)).toBe(
    `if (x) ${on} && disk.io(); else ${on} && disk.io()`,
  )
})

test('a call that is a value is tested in parentheses', () => {
  expect(last(`${declared}const f = (a) => disk.io(a)`)).toBe(
    `const f = (a) => (${on} ? disk.io(a) : void 0)`,
  )
  expect(last(`${declared}f(disk.io(1), void disk.io(2))`)).toBe(
    `f((${on} ? disk.io(1) : void 0), void (${on} ? disk.io(2) : void 0))`,
  )
})

test('a test of on[0] is that of a static call site', () => {
  expect(last(`${declared}if (disk.io.on[0]) f()`)).toBe(
    `if ((globalThis["blkin:disk:io"] ?? disk.io.on)[0]) f()`,
  )
})

test('a test that begins a statement stays: its parenthesis would call what the line before ends with', () => {
  const site = 'disk.io.on[0] && f()'
  expect(last(`${declared}const a = b\n${site}`)).toBe(site)
})

const call = 'disk.io(1)'
const ways: [string, string, string, Record<string, string>?][] = [
  ['renamed', `import { provider as p } from 'blkin'; const disk = p('disk', {})`, call],
  ['a namespace', `import * as b from 'blkin'; const disk = b.provider('disk', {})`, call],
  ['taken apart', `${declared}const { io: read } = disk`, 'read(1)'],
  ['taken apart at once', `import { provider } from 'blkin'; const { io } = provider('disk', {})`, 'io(1)'],
  ['another constant', `${declared}const other = disk, io = other.io`, 'io(1)'],
  ['by a string', declared, 'disk["io"](1)'],
  ['a constant name', `import { provider } from 'blkin'; const n = 'disk', disk = provider(n, {})`, call],
  ['in a frozen object', `${declared}const all = Object.freeze({ disk })`, 'all.disk.io(1)'],
  ['in a function', declared, 'function f() { disk.io(1) }'],
  [
    'imported',
    `import { disk } from './d.js'`,
    call,
    { '/d.js': `import { provider } from 'blkin'; export const disk = provider('disk', {})` },
  ],
  [
    'imported as another',
    `import { d as x } from './d.js'`,
    'x.io(1)',
    { '/d.js': `${declared}export { disk as d }` },
  ],
  ['a default', `import x from './d.js'`, 'x.io(1)', { '/d.js': `${declared}export default disk` }],
  [
    'a default of itself',
    `import x from './d.js'`,
    'x.io(1)',
    { '/d.js': `import { provider } from 'blkin'; export default provider('disk', {})` },
  ],
  [
    'all of a module',
    `import * as a from './d.js'`,
    'a.disk.io(1)',
    { '/d.js': `${declared}export { disk }` },
  ],
  [
    'passed on',
    `import { disk } from './a.js'`,
    call,
    {
      '/a.js': `export { disk } from './b.js'`,
      '/b.js': `export * from './d.js'`,
      '/d.js': `${declared}export { disk }`,
    },
  ],
  [
    'passed on as a namespace',
    `import { own } from './a.js'`,
    'own.disk.io(1)',
    { '/a.js': `export * as own from './d.js'`, '/d.js': `${declared}export { disk }` },
  ],
  ['awaited', `const { disk } = await import('./d.js')`, call, { '/d.js': `${declared}export { disk }` }],
  ['CommonJS', `const { provider } = require('blkin'); const disk = provider('disk', {})`, call],
  [
    'CommonJS, imported',
    `const { disk } = require('./d.js')`,
    call,
    { '/d.js': `const b = require('blkin'); module.exports = { disk: b.provider('disk', {}) }` },
  ],
  [
    'CommonJS, as compilers write it',
    `const d_1 = require('./d.js')`,
    'd_1.disk.io(1)',
    {
      '/d.js': `exports.disk = void 0; const b_1 = require('blkin'); exports.disk = (0, b_1.provider)('disk', {})`,
    },
  ],
  [
    'CommonJS, where it is exported',
    `exports.disk = void 0; const b_1 = require('blkin'); exports.disk = (0, b_1.provider)('disk', {})`,
    'exports.disk.io(1)',
  ],
]

test.each(ways)('a tracepoint is known where it is %s', (_how, before, site, more = {}) => {
  const changed = last(`${before}\n${site}`, more)
  expect(changed).toContain(`${on} && `)
  expect(changed?.replace(`${on} && `, '')).toBe(site)
})

const notSure: [string, string, string, Record<string, string>?][] = [
  ['of another package', `import { provider } from 'other'; const disk = provider('disk', {})`, call],
  ['shadowed', `${declared}function f(disk) {`, 'disk.io(1) }'],
  ['shadowed by a var', `${declared}function f() { var disk = g();`, 'disk.io(1) }'],
  ['assigned again', `import { provider } from 'blkin'; let disk = provider('disk', {}); disk = other`, call],
  [
    'declared with a name that is worked out',
    `import { provider } from 'blkin'; const disk = provider(name(), {})`,
    call,
  ],
  ['in an object that can change', `${declared}const all = { disk }`, 'all.disk.io(1)'],
  ['asked for by a variable', declared, 'disk[io](1)'],
  ['perhaps not there', declared, 'disk?.io(1)'],
  ['perhaps not called', declared, 'disk.io?.(1)'],
  ['a default in a pattern', `${declared}const { io = f } = disk`, 'io(1)'],
  ['not there', `import { disk } from './none.js'`, call],
  ['of a module that is no JavaScript', `import { disk } from './d.js'`, call, { '/d.js': 'blkin {' }],
  [
    'in a circle',
    `import { disk } from './a.js'`,
    call,
    { '/a.js': `export { disk } from './b.js'; 'blkin'`, '/b.js': `export * from './a.js'` },
  ],
  [
    'exported twice',
    `const { disk } = require('./d.js')`,
    call,
    { '/d.js': `const b = require('blkin'); exports.disk = b.provider('disk', {}); exports.disk = other` },
  ],
  ['a method of the provider called otherwise', declared, 'disk.io.call(null, 1)'],
  ['made anew', declared, 'new disk.io(1)'],
  [
    'in a with, which may mean another',
    `const { provider } = require('blkin'); const disk = provider('disk', {}); with (o) {`,
    'disk.io(1) }',
  ],
  ['under eval', `${declared}function f(code) { eval(code);`, 'g(1) }'],
]

test.each(notSure)('a call stays a call where it is %s', (_how, before, site, more = {}) => {
  expect(last(`${before}\n${site}`, more)).toBe(site)
})

test.each([
  ['n++', 'disk.io({ n: n++ })'],
  ['an assignment', 'disk.io({ n: (last = 4) })'],
  ['delete', 'disk.io({ n: delete o.n })'],
])('a call whose arguments change something stays, and is told of: %s', (_what, site) => {
  const { code, left } = rewrite({ '/main.js': `${declared}${site}` })
  expect(code.split('\n').at(-1)).toBe(site)
  expect(left).toEqual(['3 disk:io: its arguments change something'])
})

test.each([
  ['(function (globalThis) { disk.io(1) })()'],
  ['{ const globalThis = undefined; if (disk.io.on[0]) f() }'],
])('a module that has a globalThis of its own stays as it is: %s', (site) => {
  const { code, left } = rewrite({ '/main.js': `${declared};${site}` })
  expect(code.split('\n').at(-1)).toBe(`;${site}`)
  expect(left).toEqual(['3 disk:io: the module has a globalThis of its own'])
})

test('what is called in the arguments of another is recorded whether that is on or off', () => {
  const { code, left } = rewrite({ '/main.js': `${declared}disk.io({ n: [disk.sync(1)] })` })
  expect(code.split('\n').at(-1)).toBe(
    `disk.io({ n: [(${on.replace(':io', ':sync')} ? disk.sync(1) : void 0)] })`,
  )
  expect(left).toEqual(['3 disk:io: another is called in its arguments'])
})

test('what looks like a source map comment in a string stays; the last real one is emptied, for ours takes its place', () => {
  const text = 'const a = `\n//# sourceMappingURL=a.map\n\n`'
  const comment = '/*# sourceMappingURL=b.map */'
  expect(rewrite({ '/main.js': `${declared}disk.io(1)\n${text}\n${comment} f()\n\n` }).code).toBe(
    `${declared}${on} && disk.io(1)\n${text}\n/**/ f()\n\n`,
  )
})

test('await and yield in arguments happen whether the tracepoint is on or off', () => {
  const site = 'async function* f() { disk.io(await g()); disk.io(yield 1) }'
  expect(last(declared + site)).toBe(site)
})

test('functions in arguments may do what they like: nobody calls them there', () => {
  expect(last(`${declared}disk.io({ n: list.map((x) => total += x) })`)).toContain(on)
})

test('no parenthesis is put where it would call what the line before ends with', () => {
  const site = 'disk.io(1), f()'
  const { code, left } = rewrite({ '/main.js': `${declared}const a = b\n${site}` })
  expect(code.split('\n').at(-1)).toBe(site)
  expect(left).toEqual(['4 disk:io: it begins a longer statement'])
})

test('every line stays where it was', () => {
  const code = `${declared}\n\nfunction f() {\n  disk.io({\n    a: 1,\n  })\n}\n`
  const changed = rewrite({ '/main.js': code }).code
  expect(changed.split('\n').map((line) => line.replace(`${on} && `, ''))).toEqual(code.split('\n'))
})
