// test/clock.test.ts: events of several processes, and of LTTng-UST, merge in the order in which they happened. Two
// programs play ping-pong over a pipe, so that each event has only one place: turns 0, 1, 2 ... must come out so.
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { folder, program, run } from './support/run.js'
import { describeWith } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

const turns = 2000
const inOrder = Array.from({ length: turns }, (_, n) => `${n % 2 === 0 ? 'ping' : 'pong'}:turn ${n}`)

describe.each([
  { how: 'TSC, per-CPU rings', env: {} },
  { how: 'TSC, a ring for each thread', env: { BLKIN_RING: 'thread' } },
  { how: 'the monotonic clock', env: { BLKIN_CLOCK: 'monotonic' } },
])('the order of time, $how', ({ env }) => {
  test('two of our processes', async () => {
    const to = await relay()
    const args = [`${turns}`, process.execPath, program('pong.mjs')]
    const ended = await run(program('ping.mjs'), { args, env: { ...to.env, ...env } })
    expect(ended.code, ended.stderr).toBe(0)
    const { events } = await recorded(to.output)
    expect(events.map(({ tracepoint, fields }) => `${tracepoint.provider}:turn ${fields.n}`)).toEqual(inOrder)
  })

  describeWith(
    ['babeltrace2', 'gcc', 'lttng-sessiond', 'liblttng-ust-dev', 'unshare -m'],
    'and LTTng-UST',
    () => {
      test('one of our processes and a C program', async () => {
        const to = await relay()
        const at = folder()
        const pong = join(at, 'pong')
        execFileSync(
          'gcc',
          ['-O1', '-I', program('lttng'), '-o', pong, program('lttng/pong.c'), '-llttng-ust', '-ldl'],
          { stdio: 'pipe' },
        )
        writeFileSync(join(at, 'events'), 'pong:*\n')
        const before = ['unshare', '-m', '--propagation', 'private', 'sh', program('lttng/session.sh'), at]
        const ended = await run(program('ping.mjs'), {
          args: [`${turns}`, pong],
          before,
          env: { ...to.env, ...env },
        })
        expect(ended.code, ended.stderr).toBe(0)
        const shown = printed(to.output, join(at, 'lttng'))
        expect(shown.map(({ name, fields }) => `${name} ${fields.n}`)).toEqual(inOrder)
      }, 60_000)
    },
  )
})
