// test/soak/fleet.mjs: traced programs that come, and go in every way; and two that stay for all of the soak, in which what leaks is seen.
import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, spawnBound } from '../../scripts/lib/run.mjs'

const program = join(root, 'test/programs/soak.mjs')
/** At once, beside those that stay: a slow machine gets fewer programs, not more at once. */
const mostAtOnce = 4
const everyMs = 1000

/** How a program is ended, and the exit codes or signals that say that it was. */
const ways = [
  { end: 'exit', expected: 0 },
  { end: 'kill', expected: 'SIGKILL' },
  { end: 'throw', expected: 1 },
  { end: 'natural', expected: 0 },
  { end: 'killed', expected: 'SIGKILL', signal: 'SIGKILL' },
  { end: 'terminated', expected: 'SIGTERM', signal: 'SIGTERM' },
]
const workers = [0, 3, 1]
/** The last loses much of what it emits. */
const loads = [
  { buffer: '4x64K', burst: 10 },
  { buffer: '2x32K', burst: 10 },
  { buffer: '2x8K', burst: 400 },
]

export class Fleet {
  /** How many programs ended in which way. */
  ended = {}
  #children = new Map()
  #number = 0

  /** @param {{ account: object, counts: string, relays: object[], env?: Record<string, string> }} context */
  constructor(context) {
    this.context = context
  }

  /** Those that stay: the last memory usage that each told is in `usage`. */
  staying = []

  startStaying(relay) {
    const name = `stays-${this.staying.length}`
    const child = this.#spawn(name, relay, {
      ...{ turns: Number.MAX_SAFE_INTEGER, seconds: 6, workers: 3, buffer: '4x64K', burst: 10, heap: true },
    })
    const one = { name, pid: child.pid, usage: undefined, child }
    child.stdout.setEncoding('utf8').on('data', (text) => {
      one.usage = JSON.parse(text.trim().split('\n').at(-1))
    })
    this.staying.push(one)
  }

  /** Starts one after the other until told to end. */
  async run(signal) {
    while (!signal.aborted) {
      if (this.#children.size < mostAtOnce + this.staying.length) this.#startOne()
      await sleep(everyMs)
      this.check()
    }
  }

  check() {
    if (this.failure) throw this.failure
  }

  #startOne() {
    const at = this.#number++
    const way = ways[at % ways.length]
    // Numbers without a common divisor with that of ways, so that each meets each.
    const { relays } = this.context
    const relay = relays[Math.floor(at / ways.length) % relays.length]
    const options = {
      ...{ turns: 1 + (at % 2), seconds: 1 + (at % 3) / 2, workers: workers[Math.floor(at / 2) % 3] },
      ...loads[Math.floor(at / 5) % 3],
      end: way.end,
    }
    const child = this.#spawn(`comes-${at}`, relay, options, way)
    if (way.signal !== undefined) setTimeout(() => child.kill(way.signal), 500 + ((at * 377) % 2500))
  }

  #spawn(name, relay, options, way = { end: 'stays', expected: 0 }) {
    const { account, counts, env } = this.context
    const child = spawnBound(process.execPath, [program, JSON.stringify({ name, counts, ...options })], {
      env: { ...process.env, ...env, BLKIN_NAME: name, BLKIN_RELAY: relay.address, BLKIN_ENABLE: 'blkin:*' },
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    child.stdin.on('error', () => {})
    let stderr = ''
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr = (stderr + text).slice(-4000)
    })
    child.stdout.resume()
    this.#children.set(name, child)
    const record = { name, pid: child.pid, output: relay.output }
    account.add(record)
    once(child, 'close').then(([code, signal]) => {
      record.endedAt = Date.now()
      this.#children.delete(name)
      this.ended[way.end] = (this.ended[way.end] ?? 0) + 1
      // One that was to be killed may have come to its end before.
      if (code !== way.expected && signal !== way.expected && !(way.signal && code === 0))
        this.failure ??= new Error(
          `${name} (${way.end}): ended with ${signal ?? `exit code ${code}`}: ${stderr}`,
        )
    })
    return child
  }

  /** Lets all come to their ends. */
  async stop() {
    for (const { child } of this.staying) child.stdin.write('stop\n')
    while (this.#children.size > 0) await sleep(100)
    this.check()
  }

  /** After a failure. */
  killAll() {
    for (const child of this.#children.values()) child.kill('SIGKILL')
  }
}
