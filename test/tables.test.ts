// test/tables.test.ts: what two languages must agree on is read from each side's text and compared: field types and
// shapes, their sizes, levels, loss reasons, and the limits that lib and relay share.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { builtInContexts } from '../lib/context.js'
import { levelNames, levels } from '../lib/levels.js'
import { nativeNames } from '../lib/native.js'
import { Channel } from '../lib/placement.js'
import { modes } from '../lib/session-spec.js'
import { bytesOf, Shape, Type } from '../lib/types.js'
import { version } from '../lib/version.js'
import { root } from './support/run.js'

const read = (path: string) => readFileSync(join(root, path), 'utf8').replaceAll(/\/\/.*/g, '')
const found = (text: string, pattern: RegExp): string => {
  const match = pattern.exec(text)
  if (match === null) throw new Error(`nothing matches ${pattern}`)
  return match[1] as string
}

/** `A = 1, B, C = 7` as pairs of name and number. */
function enumeration(body: string): [string, number][] {
  let next = 0
  return [...body.matchAll(/(\w+)(?:\s*=\s*(\d+))?\s*(?:,|$)/g)].map(([, name, number]) => {
    next = number === undefined ? next : Number(number)
    return [name as string, next++]
  })
}

const upper = (table: Record<string, number>) =>
  Object.entries(table).map(([name, n]) => [name.toUpperCase(), n])
const idl = read('idl/blkin.thrift')
const messages = read('native/thrift/messages.hpp')
const strip = (pairs: [string, number][]) =>
  pairs.map(([name, n]) => [name.replace(/^k/, '').toUpperCase(), n])

test('field types have one number in lib, idl and native', () => {
  const wire = enumeration(found(idl, /enum Type \{([^}]*)\}/).trim())
  expect(wire).toHaveLength(14)
  expect(upper(Type)).toEqual(wire)
  expect(strip(enumeration(found(messages, /enum class Type : int32_t \{([^}]*)\}/).trim()))).toEqual(wire)
})

test('shapes have one number in lib, idl and native', () => {
  const wire = enumeration(found(idl, /enum Shape \{([^}]*)\}/).trim())
  expect(wire).toHaveLength(3)
  expect(upper(Shape)).toEqual(wire)
  expect(strip(enumeration(found(messages, /enum class Shape : int32_t \{([^}]*)\}/).trim()))).toEqual(wire)
})

test('a value takes as many bytes in lib as in native', () => {
  const body = found(
    read('native/event/layout.cc'),
    /uint32_t bytes_of\(Type type\) noexcept \{([\s\S]*?)\n\}/,
  )
  const native: Record<string, number> = {}
  for (const [, cases = '', bytes] of body.matchAll(/((?:case Type::\w+:\s*)+)return (\d+);/g)) {
    for (const [, name = ''] of cases.matchAll(/Type::k(\w+)/g)) native[name.toLowerCase()] = Number(bytes)
  }
  const lib = Object.entries(Type).map(([name, number]) => [name, bytesOf[number] ?? 0])
  expect(native).toEqual(Object.fromEntries(lib))
})

test('levels are the same 15 in lib and relay, and LTTng numbers them so', () => {
  const relay = found(read('relay/src/ctf/print/json.ts'), /export const LEVELS = \[([\s\S]*?)\n\]/)
  expect([...relay.matchAll(/'(\w+)'/g)].map(([, name]) => name)).toEqual(levelNames)
  expect(levelNames.map((name) => levels[name])).toEqual(levelNames.map((_, i) => i))
})

test('the largest payload, the most fields and labels are one number everywhere', () => {
  const schema = read('lib/schema.ts')
  const number = (path: string, pattern: RegExp) => Number(found(read(path), pattern))
  const payload = Number(found(schema, /payloadMax = (\d+)/))
  expect(number('native/ring/layout.hpp', /kPayloadMax = (\d+)/)).toBe(payload)
  const check = 'relay/src/protocol/check/tracepoint.ts'
  expect(number(check, /MAX_FIELDS = (\d+)/)).toBe(Number(found(schema, /fieldsMax = (\d+)/)))
  expect(number(check, /MAX_LABELS = (\d+)/)).toBe(Number(found(schema, /labelsMax = (\d+)/)))
  expect(number(check, /MAX_TRACEPOINTS = (\d+)/)).toBe(
    number('native/rules/registry.hpp', /kTracepointsMax = (\d+)/),
  )
})

test('channels and the numbers of their streams are the same in lib, native and relay', () => {
  const channel = read('native/event/channel.hpp')
  const native = enumeration(found(channel, /enum class Channel : uint8_t \{([^}]*)\}/))
  const named = Object.entries(Channel).map(([name, n]) => [`k${name[0]?.toUpperCase()}${name.slice(1)}`, n])
  expect(native).toEqual(named)
  const numbers = read('native/consumer/stream.hpp')
  const streams = read('relay/src/ctf/streams.ts')
  expect(found(streams, /RINGLESS = (\d+)/)).toBe(found(numbers, /kRinglessStream = (\d+)/))
  expect(found(streams, /SPANS = (\d+)/)).toBe(found(numbers, /kChannelStreams = (\d+)/))
})

test('loss reasons are the same six in lib, idl and native', () => {
  const wire = [...found(idl, /struct Lost \{([^}]*)\}/).matchAll(/(?:required|optional) i64 (\w+)/g)].map(
    ([, name]) => name,
  )
  const lib = [
    ...found(read('lib/status.ts'), /interface Lost \{([\s\S]*?)\n\}/).matchAll(/readonly (\w+): number/g),
  ]
  const native = found(messages, /struct Lost \{\s*int64_t ([^;]*);/)
    .replaceAll(' = 0', '')
    .split(', ')
  expect(lib.map(([, name]) => name)).toEqual(wire)
  expect(
    native.map((name) => name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase())),
  ).toEqual(wire)
})

test('contexts have the same slots in lib and native, and every name can be asked for', () => {
  const native = [
    ...found(read('native/event/context.hpp'), /kBuiltIn\[\] = \{([\s\S]*?)\n\};/).matchAll(/\{"(\w+)",/g),
  ].map(([, name]) => name)
  const lib = found(read('lib/context.ts'), /const slots = \{ ([^}]*) \}/)
  for (const [, name = '', slot] of lib.matchAll(/(\w+): (\d+)/g)) {
    const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    expect(native[Number(slot)], name).toBe(snake)
  }
  expect([...builtInContexts].filter((name) => name !== 'trace').sort()).toEqual([...native].sort())
  const sizes = read('native/event/context.hpp')
  const script = read('lib/context.ts')
  expect(found(script, /slotCount = (\d+)/)).toBe(found(sizes, /kContextsMax = (\d+)/))
  expect(found(script, /textBytes = (\d+)/)).toBe(found(sizes, /kContextTextMax = (\d+)/))
})

test('modes and origins are those of the idl', () => {
  const members = (name: string) =>
    [...found(idl, new RegExp(`enum ${name} \\{([^}]*)\\}`)).matchAll(/(\w+) = (\d+)/g)].map(
      ([, word = '', n]) => [word.toLowerCase(), Number(n)],
    )
  expect(Object.entries(modes)).toEqual(members('Mode'))
  const origins = found(read('lib/status.ts'), /const origins[^=]*= \{([^}]*)\}/)
  expect([...origins.matchAll(/(\d+): '(\w+)'/g)].map(([, n, word]) => [word, Number(n)])).toEqual(
    members('Origin'),
  )
})

test('lib asks the addon for each function that it has', () => {
  const module = read('native/addon/module.cc')
  const names = [...module.matchAll(/(?:exports\.Set|\badd)\("(\w+)"/g)].map(([, name]) => name)
  expect([...nativeNames].sort()).toEqual(names.sort())
})

test('the version in lib is that of the package, and of the relay that it wants', () => {
  const packageOf = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
  expect(packageOf('.').version).toBe(version)
  expect(packageOf('.').peerDependencies['@blkin/relay']).toBe(`^${packageOf('relay').version}`)
})
