// blockstore-harness.ts: what the block store's tests share: a store in memory that can lose power, a server as a
// process of its own, and a look for the tools of others.

import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type ObjectStore, type Origin, StoreError } from '../examples/blockstore/src/object-store.js'

export const MAIN = fileURLToPath(new URL('../examples/blockstore/dist/main.js', import.meta.url))
export const BLOCK = 4096
export const run = promisify(execFile)

export function hasTool(name: string): boolean {
  return spawnSync('which', [name]).status === 0
}

export function temporaryDir(): { dir: string; remove: () => void } {
  const dir = mkdtempSync(path.join(tmpdir(), 'blockstore-'))
  return { dir, remove: () => rmSync(dir, { recursive: true, force: true }) }
}

type Blocks = Map<number, Buffer>

/** Whole blocks only. Every call takes a random number of turns of the event loop, so that calls overtake. */
export class MemoryStore implements ObjectStore {
  readonly objects = new Map<string, Blocks>()
  #durable = new Map<string, Blocks>()
  readonly #delay: () => number
  /** Set by a test to make writes fail. */
  failWrites: StoreError | undefined
  copies = 0

  constructor(delay: () => number = () => 0) {
    this.#delay = delay
  }

  losePower(): void {
    this.objects.clear()
    for (const [name, blocks] of this.#durable) this.objects.set(name, new Map(blocks))
  }

  async put(_: Origin, name: string, data: Buffer): Promise<void> {
    await this.#turns()
    this.objects.set(name, new Map())
    this.#write(name, 0, data)
  }

  async get(origin: Origin, name: string): Promise<Buffer> {
    const last = Math.max(-1, ...(this.objects.get(name)?.keys() ?? []))
    return this.readRange(origin, name, 0, (last + 1) * BLOCK)
  }

  async writeRange(_: Origin, name: string, offset: number, data: Buffer): Promise<void> {
    await this.#turns()
    if (this.failWrites !== undefined) throw this.failWrites
    this.#write(name, offset, data)
    await this.#turns()
  }

  async readRange(_: Origin, name: string, offset: number, length: number): Promise<Buffer> {
    await this.#turns()
    const blocks = this.objects.get(name)
    if (blocks === undefined) throw new StoreError(2, `${name}: absent`)
    const zeros = Buffer.alloc(BLOCK)
    const parts: Buffer[] = []
    for (let i = 0; i < length / BLOCK; i++) parts.push(blocks.get(offset / BLOCK + i) ?? zeros)
    return Buffer.concat(parts)
  }

  async copy(_: Origin, from: string, to: string): Promise<void> {
    this.copies++
    await this.#turns()
    const blocks = this.objects.get(from)
    if (blocks === undefined) throw new StoreError(2, `${from}: absent`)
    const taken = new Map(blocks)
    await this.#turns()
    this.objects.set(to, taken)
  }

  async delete(_: Origin, name: string): Promise<void> {
    this.objects.delete(name)
    this.#durable.delete(name)
  }

  async flush(_: Origin, name?: string): Promise<void> {
    const taken = [...this.objects]
      .filter(([each]) => name === undefined || each === name)
      .map(([each, blocks]) => [each, new Map(blocks)] as const)
    await this.#turns()
    for (const [each, blocks] of taken) if (this.objects.has(each)) this.#durable.set(each, blocks)
  }

  #write(name: string, offset: number, data: Buffer): void {
    const blocks = this.objects.get(name) ?? new Map<number, Buffer>()
    this.objects.set(name, blocks)
    for (let at = 0; at < data.length; at += BLOCK) {
      blocks.set((offset + at) / BLOCK, Buffer.from(data.subarray(at, at + BLOCK)))
    }
  }

  async #turns(): Promise<void> {
    for (let left = this.#delay(); left > 0; left--) await new Promise(setImmediate)
  }
}

export interface ServerProcess {
  readonly uri: string
  readonly exports: string[]
  readonly child: ChildProcess
  /** Ends it with a signal of choice and waits for the end. */
  end(signal?: NodeJS.Signals): Promise<number | null>
}

export async function startServer(dir: string, ...args: string[]): Promise<ServerProcess> {
  return startServerIn(process.env, dir, ...args)
}

export const startServerIn = (
  env: NodeJS.ProcessEnv,
  dir: string,
  ...args: string[]
): Promise<ServerProcess> => startBuilt(MAIN, env, dir, ...args)

/** The block store as something else has built it. */
export async function startBuilt(
  main: string,
  env: NodeJS.ProcessEnv,
  dir: string,
  ...args: string[]
): Promise<ServerProcess> {
  const child = spawn(process.execPath, [main, 'serve', '--dir', dir, '--listen', '127.0.0.1:0', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let complaints = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text
  })
  const exited = once(child, 'exit')
  const line = await Promise.race([
    once(createInterface(child.stdout), 'line').then(([text]) => text as string),
    exited.then(([code]) => `exited with ${code}: ${complaints}`),
  ])
  const match = /^listening (nbd:\/\/127\.0\.0\.1:\d+) exports (.*)$/.exec(line)
  if (match === null) throw new Error(`no server: ${line}`)
  return {
    uri: match[1]!,
    exports: match[2]!.split(','),
    child,
    async end(signal = 'SIGTERM') {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal)
      return (await exited)[0]
    },
  }
}

/** The stores that a server has forked, from the kernel's own list. */
export async function storePids(server: ServerProcess): Promise<number[]> {
  const { stdout } = await run('ps', ['-o', 'pid=', '--ppid', String(server.child.pid)])
  return stdout.trim().split(/\s+/).map(Number)
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
