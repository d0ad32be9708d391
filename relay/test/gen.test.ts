// relay/test/gen.test.ts: what is committed in relay/gen is what the compiler makes of idl/*.thrift.

import { execFileSync, spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { folder } from './helpers.js'

const root = join(import.meta.dirname, '../..')

const generated = [
  ...['Control', 'FacebookService', 'Fleet', 'Relay', 'blkin_types', 'fb303_types'],
  ...['scribe', 'scribe_types', 'zipkin_types'],
]

test('generating again gives the same bytes', (t) => {
  const version = spawnSync('thrift', ['--version'], { encoding: 'utf8' }).stdout ?? ''
  if (!version.includes('0.17.0')) t.skip('the thrift compiler 0.17.0 is not installed')
  const made = folder()
  execFileSync(process.execPath, [join(root, 'scripts/thrift.mjs'), made])
  const names = readdirSync(made).sort()
  expect(names).toEqual([...generated.flatMap((name) => [`${name}.d.ts`, `${name}.js`])])
  for (const name of names) {
    expect(readFileSync(join(made, name), 'utf8'), name).toBe(
      readFileSync(join(root, 'relay/gen', name), 'utf8'),
    )
  }
})
