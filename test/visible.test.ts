// test/visible.test.ts: names, values and words from outside on their way to a terminal or a log: nothing of them is a command there, none
// begins a line, and none turns the direction of what stands behind it.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Lost, TracepointState } from '@blkin/relay'
import { describe, expect, onTestFinished, test } from 'vitest'
import { nothingText } from '../lib/cli/names/tracepoints.js'
import { json, styleFor } from '../lib/cli/print/print.js'
import { processText, visible, visibleJson } from '../lib/cli/print/visible.js'
import { listed, type Target } from '../lib/cli/process/find.js'
import { followedText } from '../lib/cli/relay/followed.js'
import { renderTop } from '../lib/cli/top/top-frame.js'
import { renderListed } from '../lib/cli/verbs/list.js'
import { renderPs } from '../lib/cli/verbs/ps.js'
import { renderRules } from '../lib/cli/verbs/rules.js'
import * as relays from '../relay/src/common/visible.js'
import { cli } from './support/cli.js'
import { cleanEnvironment, program } from './support/run.js'

/** native/test/visible_test.cc has the same. */
const evil = 'a\0\x1b]0;title\x07\u009b2J\r\n\t\x7f\u202egnp\u2028z'
const shown = String.raw`a\x00\x1b]0;title\x07\x9b2J\r\n\t\x7f\u202egnp\u2028z`
// biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
const marks = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/

const plain = styleFor({}, {})

describe('made visible', () => {
  test('by the command and by the relay alike', () => {
    expect(visible(evil)).toBe(shown)
    for (let code = 0; code < 0x3000; code++) {
      const mark = String.fromCharCode(code)
      expect(relays.visible(mark), code.toString(16)).toBe(visible(mark))
      expect(relays.visibleJson(mark), code.toString(16)).toBe(visibleJson(mark))
    }
  })

  test('in JSON, where it is the same text to a reader', () => {
    const text = json({ [evil]: evil, big: 2n ** 70n })
    expect(text).not.toMatch(marks)
    expect(JSON.parse(text)).toEqual({ [evil]: evil, big: String(2n ** 70n) })
  })

  test('in every table', () => {
    const lost: Lost = { noRoom: 0, tooBig: 0, badValue: 0, noRing: 0, overwritten: 0, unstored: 0 }
    const row = { pid: 1, program: evil, host: evil, startedAt: 0n, rate: 1, lost }
    const ps = renderPs(
      [{ ...row, sessions: [1, 2].map(() => ({ name: evil, state: evil, more: {} })) }],
      0,
      plain,
    )
    const field = { name: evil, type: 'u8', labels: [[evil, 1]] }
    const tracepoint = { id: 0, provider: evil, event: evil, level: 6, fields: [field] }
    const on = [{ session: evil, rule: 1 }]
    const rule = {
      id: 1,
      on: true,
      pattern: evil,
      exclude: [evil],
      level: 14,
      exactly: false,
      filter: evil,
      origin: evil,
      target: evil,
    }
    const state = { tracepoint, on } as unknown as TracepointState
    const list = renderListed(
      [{ pid: 1, program: evil, gone: false, tracepoints: [state], rule: () => rule as never }],
      plain,
    )
    const where = { pid: 1, program: evil, session: evil }
    const rules = renderRules([{ where, rules: [rule as never] }], plain)
    const counted = { name: evil, until: evil, rate: 1, total: 1, history: [1], p50: 1, p99: 1 }
    const heading = { processes: evil, sessions: 1, relay: evil, lost: 0 }
    const top = renderTop(heading, [counted], { width: 500, height: 20 }, plain)
    for (const line of [...ps, ...list, ...rules, ...top]) expect(line).not.toMatch(marks)
    for (const text of [ps, list, rules, top]) expect(text.join('\n')).toContain(shown.slice(0, 20))
  })

  test('in what is told of processes and their tracepoints', () => {
    const target = { state: { pid: 1, program: evil } } as Target
    for (const text of [listed([target]), processText(target.state), nothingText('a:*', [`${evil}:${evil}`])])
      expect(text).not.toMatch(marks)
    const event = {
      time: '2026-01-01T00:00:00.000000000Z',
      host: evil,
      pid: 1,
      program: evil,
      provider: evil,
    }
    expect(visible(followedText({ ...event, event: evil, cpu: 0, fields: { [evil]: evil } }))).not.toMatch(
      marks,
    )
  })
})

/** Answers every call with an exception that says this. */
async function relayThatSays(words: string): Promise<string> {
  const i32 = (n: number) => {
    const bytes = Buffer.alloc(4)
    bytes.writeInt32BE(n)
    return bytes
  }
  const text = (of: string) => Buffer.concat([i32(Buffer.byteLength(of)), Buffer.from(of)])
  const server = createServer((socket) => {
    socket
      .on('error', () => {})
      .on('data', (chunk) => {
        const name = chunk.toString('latin1', 12, 12 + chunk.readInt32BE(8))
        const call = chunk.subarray(12 + name.length, 16 + name.length)
        const said = [Buffer.of(11, 0, 1), text(words), Buffer.of(8, 0, 2), i32(6), Buffer.of(0)]
        const answer = Buffer.concat([Buffer.of(0x80, 1, 0, 3), text(name), call, ...said])
        socket.write(Buffer.concat([i32(answer.length), answer]))
      })
  })
  onTestFinished(() => void server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return `127.0.0.1:${(server.address() as { port: number }).port}`
}

async function errorOf(args: string[], env: Record<string, string>): Promise<string> {
  const child = spawn(process.execPath, args, {
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  let text = ''
  child.stderr.setEncoding('utf8').on('data', (more: string) => {
    text += more
  })
  await once(child, 'close')
  return text
}

describe('what a relay refuses with', () => {
  test('is one line of a program, whatever and however much it is', async () => {
    const relay = await relayThatSays(evil + 'x'.repeat(100_000))
    const text = await errorOf([program('burst.mjs'), '1', 'natural', '0'], {
      BLKIN_RELAY: relay,
      BLKIN_ENABLE: '*:*',
    })
    expect(text).toContain(`blkin: relay ${relay}: the relay refused: ${shown}xxx`)
    expect(text).toMatch(/^[^\n]{1,4000}\n$/)
    expect(text.trimEnd()).not.toMatch(marks)
  })

  test('is one line of the command', async () => {
    const relay = await relayThatSays(evil + 'x'.repeat(100_000))
    const text = await errorOf([cli, 'ps', '--relay', relay], {})
    expect(text).toContain(`${shown}xxx`)
    expect(text).toMatch(/^[^\n]{1,4000}\n$/)
    expect(text.trimEnd()).not.toMatch(marks)
  })
})
