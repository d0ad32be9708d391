// relay/test/python.test.ts: a client in another language, generated from the same IDL, is understood.

import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { view, writeStanding } from '../src/index.js'
import { collect, folder, relayIn } from './helpers.js'

const PYTHON = '/usr/bin/python3' // where Debian's python3-thrift is
const root = join(import.meta.dirname, '../..')

const ready =
  spawnSync(PYTHON, ['-c', 'import thrift']).status === 0 && spawnSync('thrift', ['--version']).status === 0

function generate(): string {
  const gen = folder()
  execFileSync('thrift', ['--gen', 'py', '-out', gen, join(root, 'idl/blkin.thrift')])
  return gen
}

test('a Python client says hello, declares, puts, is refused, and resumes', async (t) => {
  if (!ready) t.skip('python3-thrift or the thrift compiler is not installed')
  const gen = generate()
  const output = folder()
  const relay = await relayIn(output)
  const port = relay.address.split(':')[1]!
  const { stdout } = await promisify(execFile)(PYTHON, [join(root, 'relay/test/client.py'), gen, port])
  expect(stdout).toBe('put.sequence of stream 2 is 5; expected 2\n1 [(2, 1, 64, 2, 3)]\n')
  expect(relay.stats().processes[0]).toMatchObject({ program: 'py', events: 1, lost: { noRoom: 3 } })
  const printed = collect()
  expect(await view({ path: output, json: true, output: printed })).toEqual({ events: 1, lost: 3n })
  expect(printed.text()).toContain('"event":"e","level":"info","cpu":2,"fields":{"n":77}}')
})

test('a Python controller gives rules to a process that polls, and reads standing ones', async (t) => {
  if (!ready) t.skip('python3-thrift or the thrift compiler is not installed')
  const gen = generate()
  const relay = await relayIn(folder(), { token: 'right' })
  const standing = folder()
  await writeStanding(standing, [{ target: 'server*', pattern: 'a:*' }])
  const args = [
    join(root, 'relay/test/fleet.py'),
    gen,
    relay.address.split(':')[1]!,
    join(standing, 'standing'),
  ]
  const { stdout } = await promisify(execFile)(PYTHON, args)
  expect(stdout.split('\n')).toEqual([
    "1 [(1, 'a:*', 3, 'n > 1')]",
    "2 ['a:*', 'b:*']",
    "['b:*'] [True]",
    "[(42, 5, ['default'])]",
    'Followed(events=[], dropped=0)',
    'rule.pattern is "a"; expected provider:event, such as "blockstore:*", at most 256 long',
    "[('server*', 'a:*', 3)]",
    '',
  ])
})
