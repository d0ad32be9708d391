// test/native-includes.test.ts: which rooms of native/ may include which, and that no file includes itself by way of others. Every
// room may include only those that its line names, so a room below learns nothing of those above; points.hpp is for all.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { root } from '../scripts/lib/run.mjs'

const rooms: Record<string, string[]> = {
  ring: [],
  clock: [],
  ctf: [],
  thrift: [],
  consumer: ['ring', 'clock', 'ctf', 'thrift'],
  event: ['thrift', 'consumer'],
  rules: ['thrift', 'event', 'ring'],
  folder: ['thrift', 'clock', 'ring', 'consumer', 'event'],
  process: ['thrift', 'clock', 'ring', 'consumer', 'event', 'rules', 'folder'],
  control: ['thrift', 'rules', 'process'],
  addon: ['consumer', 'folder', 'process'],
}

/** What each file includes of native/, by path. */
type Includes = ReadonlyMap<string, readonly string[]>

function readIncludes(): Includes {
  const found = new Map<string, string[]>()
  for (const room of Object.keys(rooms))
    for (const name of readdirSync(join(root, 'native', room))) {
      const text = readFileSync(join(root, 'native', room, name), 'utf8')
      const paths = [...text.matchAll(/^#include "([^"]+)"/gm)].map(([, path]) => path as string)
      found.set(
        `${room}/${name}`,
        paths.map((path) => normalize(join(room, path))),
      )
    }
  return found
}

const isOutside = (from: string, path: string) => dirname(path) !== dirname(from) && path !== 'points.hpp'

const notAllowed = (includes: Includes): string[] =>
  [...includes].flatMap(([from, paths]) =>
    paths
      .filter((path) => isOutside(from, path) && !rooms[dirname(from)]?.includes(dirname(path)))
      .map((path) => `${from} includes ${path}`),
  )

/** A file that includes itself by way of others, with the way; undefined where there is none. */
function circle(includes: Includes): string | undefined {
  const whole = new Set<string>()
  const from = (path: string, way: string[]): string | undefined => {
    if (way.includes(path)) return [...way, path].join(' > ')
    if (whole.has(path)) return undefined
    for (const next of includes.get(path) ?? []) {
      const found = from(next, [...way, path])
      if (found !== undefined) return found
    }
    whole.add(path)
    return undefined
  }
  for (const path of includes.keys()) {
    const found = from(path, [])
    if (found !== undefined) return found
  }
  return undefined
}

describe('includes of native/', () => {
  test('each room includes only those that its line names, and its line no others', () => {
    const includes = readIncludes()
    expect(includes.size).toBeGreaterThan(60)
    expect(notAllowed(includes)).toEqual([])
    const used = (room: string) =>
      new Set(
        [...includes].filter(([from]) => dirname(from) === room).flatMap(([, paths]) => paths.map(dirname)),
      )
    for (const [room, allowed] of Object.entries(rooms))
      expect(
        allowed.filter((one) => !used(room).has(one)),
        `${room} needs no longer`,
      ).toEqual([])
  })

  test('no file includes itself by way of others', () => {
    expect(circle(readIncludes())).toBeUndefined()
  })

  test('an include upwards and a circle are found', () => {
    const upwards = new Map([['ring/read.hpp', ['process/process.hpp']]])
    expect(notAllowed(upwards)).toEqual(['ring/read.hpp includes process/process.hpp'])
    const round = new Map([
      ['ring/a.hpp', ['ring/b.hpp']],
      ['ring/b.hpp', ['ring/a.hpp']],
    ])
    expect(circle(round)).toBe('ring/a.hpp > ring/b.hpp > ring/a.hpp')
  })
})
