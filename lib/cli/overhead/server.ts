// lib/cli/overhead/server.ts: `blkin overhead --url URL -- COMMAND`: starts the server, waits until it answers, asks its event loop's
// delay, and ends it.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { importing } from '../process/traced-environment.js'
import type { Readings } from './rounds.js'

const answerMs = 30_000
const endMs = 5000
const askMs = 1000
/** Of what it said on stderr, told where it ends too early. */
const mostSaid = 4096

export interface Server {
  readonly pid: number
  /** Of the time since it was asked before, in milliseconds; none where no process answers. */
  delay(): Promise<Readings>
  stop(): Promise<void>
}

export async function startServer(
  [program = '', ...args]: readonly string[],
  url: string,
  stop: AbortSignal,
): Promise<Server> {
  const probes = await listen()
  const { BLKIN_ENABLE: _, ...env } = process.env // the session that is measured switches on, and nothing else
  const child = spawn(program, args, {
    env: {
      ...env,
      NODE_OPTIONS: importing('register.mjs', 'cli/overhead/probe.js'),
      BLKIN_OVERHEAD_PROBE: probes.path,
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // a group of its own, so that all of it can be ended, and ^C comes here alone
  })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-mostSaid)
  })
  const over = new Promise<string>((resolve) => {
    child.once('error', ({ code, message }: NodeJS.ErrnoException) =>
      resolve(code === 'ENOENT' ? 'no such command' : message),
    )
    child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`))
  })
  const server = {
    pid: child.pid ?? 0,
    delay: () => probes.delay(),
    async stop() {
      await endGroup(child)
      probes.close()
    },
  }
  const isOver = new AbortController()
  void over.then(() => isOver.abort())
  const early = await Promise.race([over, answers(url, AbortSignal.any([stop, isOver.signal]))])
  if (early === undefined) return server
  await server.stop()
  throw new Error(`${program}: ${early}${said === '' ? '' : `; it said:\n${said.trimEnd()}`}`)
}

/** Undefined once there is an answer, of whatever status; else why there is none. */
export async function answers(url: string, stop: AbortSignal): Promise<string | undefined> {
  let why = ''
  for (const end = performance.now() + answerMs; performance.now() < end && !stop.aborted; ) {
    try {
      const { body } = await fetch(url, {
        signal: AbortSignal.any([stop, AbortSignal.timeout(answerMs)]),
        redirect: 'manual',
      })
      await body?.cancel()
      return undefined
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error }
      why = cause?.message || message
    }
    await sleep(50)
  }
  return stop.aborted
    ? 'it was stopped before it answered'
    : `${url} did not answer in ${answerMs / 1000} s: ${why}`
}

/** With all that it started and left in its group, such as the server that a shell or npm runs. */
async function endGroup({ pid, stderr }: ChildProcess): Promise<void> {
  stderr?.destroy()
  if (pid === undefined) return
  const signal = (which: NodeJS.Signals | 0): boolean => {
    try {
      return process.kill(-pid, which)
    } catch {
      return false // nobody is left
    }
  }
  signal('SIGTERM')
  for (const end = performance.now() + endMs; signal(0); ) {
    if (performance.now() > end) signal('SIGKILL')
    await sleep(10)
  }
}

interface Probe {
  looks: number
  mean: number
  p99: number
}

/** A socket for the probes of the server's processes. */
async function listen() {
  const folder = mkdtempSync(join(tmpdir(), 'blkin-probe-'))
  const path = join(folder, 'socket')
  const sockets = new Map<Socket, Interface>()
  const server = createServer((socket) => {
    sockets.set(socket, createInterface({ input: socket }))
    socket.on('error', () => {}).once('close', () => sockets.delete(socket))
  }).listen(path)
  await once(server, 'listening')
  const ask = async (socket: Socket, lines: Interface): Promise<Probe | undefined> => {
    socket.write('?\n')
    try {
      const [text] = await once(lines, 'line', { signal: AbortSignal.timeout(askMs) })
      return JSON.parse(text) as Probe
    } catch {
      return undefined // it has ended, or its event loop does not turn
    }
  }
  return {
    path,
    async delay(): Promise<Readings> {
      const all = (await Promise.all([...sockets].map(([socket, lines]) => ask(socket, lines)))).filter(
        (one) => one !== undefined && one.looks > 0,
      ) as Probe[]
      const looks = all.reduce((sum, one) => sum + one.looks, 0)
      if (looks === 0) return {}
      return {
        delayMean: all.reduce((sum, one) => sum + one.mean * one.looks, 0) / looks,
        delayP99: Math.max(...all.map(({ p99 }) => p99)), // of the process that waits longest
      }
    },
    close() {
      server.close()
      for (const socket of sockets.keys()) socket.destroy()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
