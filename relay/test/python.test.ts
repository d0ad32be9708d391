// relay/test/python.test.ts: a client in another language, generated from the same IDL, is understood.

import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { view } from '../src/index.js'
import { collect, folder, relayIn } from './helpers.js'

const PYTHON = '/usr/bin/python3' // where Debian's python3-thrift is
const root = join(import.meta.dirname, '../..')

test('a Python client says hello, declares, puts, is refused, and resumes', async (t) => {
  const ready =
    spawnSync(PYTHON, ['-c', 'import thrift']).status === 0 && spawnSync('thrift', ['--version']).status === 0
  if (!ready) t.skip('python3-thrift or the thrift compiler is not installed')
  const gen = folder()
  execFileSync('thrift', ['--gen', 'py', '-out', gen, join(root, 'idl/blkin.thrift')])
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
