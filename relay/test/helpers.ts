// relay/test/helpers.ts: what several of the relay's tests need: a relay in a folder of its own, and babeltrace2.
// Everything started or made here is ended and removed when the test is over.

import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Writable } from 'node:stream'
import { expect, onTestFinished } from 'vitest'
import { type RelayOptions, startRelay } from '../src/index.js'
import type { Span } from '../src/spans/span.js'

/** relay/dist, for relays that run in a process of their own. */
export function buildRelay(): void {
  const root = join(import.meta.dirname, '..')
  execFileSync(process.execPath, [join(root, '../node_modules/typescript/bin/tsc'), '-b', root])
}

export function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'blkin-relay-'))
  onTestFinished(() => rmSync(made, { recursive: true, force: true }))
  return made
}

export async function relayIn(output: string, changes: Partial<RelayOptions> = {}) {
  const lines: string[] = []
  const relay = await startRelay({
    listen: '127.0.0.1:0',
    output,
    log: (line) => lines.push(line),
    ...changes,
  })
  onTestFinished(() => relay.close())
  /** Where controllers need no token. */
  const socket = await relay.listenAtSocket(join(folder(), 'relay'))
  return Object.assign(relay, { lines, socket })
}

export const asJson = { 'content-type': 'application/json' }

/** As a tracer posts to the API at `url`. */
export const postText = (url: string, body: string): Promise<Response> =>
  fetch(`${url}/api/v2/spans`, { method: 'POST', headers: asJson, body })

/** They are taken. */
export async function postSpans(url: string, spans: Span[]): Promise<void> {
  expect((await postText(url, JSON.stringify(spans))).status).toBe(202)
}

export const hasBabeltrace = spawnSync('babeltrace2', ['--version']).status === 0

export function babeltrace(path: string, ...args: string[]): { text: string; warnings: string } {
  const run = spawnSync('babeltrace2', [path, ...args], { encoding: 'utf8', maxBuffer: 2 ** 30 })
  if (run.status !== 0) throw new Error(`babeltrace2 failed on ${path}: ${run.stderr}`)
  return { text: run.stdout, warnings: run.stderr }
}

/** Until a promise made elsewhere has had its effect; the test's own time limit ends the wait. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve))
}

/** A stream to print to, and what was printed. */
export function collect(): Writable & { text: () => string } {
  const parts: Buffer[] = []
  const output = new Writable({
    write(chunk, _, done) {
      parts.push(Buffer.from(chunk))
      done()
    },
  })
  return Object.assign(output, { text: () => Buffer.concat(parts).toString() })
}
