// lib/cli/overhead/blocks.ts: processes that run, with tracepoints switched on and off in blocks of time, through their control sockets.
// They get a session of their own, as from record -p, which goes with this command however that ends: whatever else was on
// in them stays as it was.
import { setTimeout as sleep } from 'node:timers/promises'
import type { RuleRequest } from '@blkin/relay'
import { compileGlob } from '../names/glob.js'
import { nameOf, nothingText } from '../names/tracepoints.js'
import { NothingError } from '../options/exit.js'
import type { ChannelFlags } from '../options/flags.js'
import { lostOf } from '../print/losses.js'
import { note } from '../print/print.js'
import { type Attached, attach } from '../process/attach.js'
import { misfitsOf } from '../process/filter.js'
import { listed, type Target } from '../process/find.js'
import { readThreads, usedSince } from './cpu.js'
import type { Load } from './load.js'
import type { OwnRelay } from './own-relay.js'
import { inRounds, type Limits, type Readings, type Round } from './rounds.js'
import type { Server } from './server.js'

export interface Blocks {
  rounds: Round[]
  /** Per second of those in which it was on. */
  eventsPerSecond: number
  lost: number
  /** One of them ended before it was done. */
  isOver: boolean
}

/** At the beginning of a block caches, code and queues are still those of the block before. */
const settlePart = 1 / 3
const mostSettleMs = 500
const flushMs = 2000

export async function measureBlocks(
  found: Target[],
  rules: readonly RuleRequest[],
  flags: ChannelFlags,
  { relay, load, server }: { relay: OwnRelay; load?: Load | undefined; server?: Server | undefined },
  { limits, blockMs }: { limits: Limits; blockMs: number },
  stop: AbortSignal,
): Promise<Blocks> {
  const names = (await Promise.all(found.map(({ control }) => control.tracepoints()))).flat().map(nameOf)
  if (!rules.some(({ pattern }) => names.some(compileGlob(pattern))))
    throw new NothingError(rules.map(({ pattern }) => nothingText(pattern, names)).join('; '))
  const attached = await attach(found, rules, flags, {
    purpose: 'overhead',
    ...{ relay: relay.address, token: relay.token },
  })
  const session = `overhead-${process.pid}`
  try {
    if (attached.covered === 0) throw new NothingError('their rules leave none of them on')
    await tellOthers(attached.targets, rules, session)
    note(`${listed(attached.targets)}: on and off in blocks of ${blockMs} ms, ${limits.rounds} rounds`)
    const ended = new AbortController()
    void attached.over.then(() => ended.abort())
    const over = AbortSignal.any([stop, ended.signal])
    const switches = await switchesOf(attached, session, rules)
    const meter = new Meter(
      attached.targets.map(({ state }) => state.pid),
      relay.pid,
      load,
      server,
    )
    const run = (state: 'off' | 'on') =>
      block(switches, meter, state, blockMs, over).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ERR_BLKIN_AWAY') ended.abort()
        if (over.aborted) return undefined
        throw error
      })
    await run('on') // not counted: code is compiled anew, rings are made
    await run('off')
    const rounds = await inRounds(limits, run)
    const totals = await totalsOf(attached.targets, session)
    const { onSeconds } = switches
    return {
      ...{ rounds, lost: totals.lost, isOver: ended.signal.aborted },
      eventsPerSecond: onSeconds === 0 ? 0 : totals.events / onSeconds,
    }
  } finally {
    await attached.detach()
  }
}

async function block(
  switches: Switches,
  meter: Meter,
  state: 'off' | 'on',
  ms: number,
  over: AbortSignal,
): Promise<Readings> {
  await switches[state]()
  const settleMs = Math.min(ms * settlePart, mostSettleMs)
  await sleep(settleMs, undefined, { signal: over })
  await meter.begin()
  await sleep(ms - settleMs, undefined, { signal: over })
  return await meter.read()
}

interface Switches {
  on(): Promise<void>
  /** Once what was emitted before has been delivered, so that its cost is no part of the time after. */
  off(): Promise<void>
  onSeconds: number
}

async function switchesOf(
  attached: Attached,
  session: string,
  rules: readonly RuleRequest[],
): Promise<Switches> {
  const all = await Promise.all(
    attached.targets.map(async ({ control }) => ({ control, unfit: await misfitsOf(control, rules) })),
  )
  let since: number | undefined = performance.now() // attach() switched on
  const switches: Switches = {
    onSeconds: 0,
    async on() {
      since ??= performance.now()
      await Promise.all(
        all.map(async ({ control, unfit }) => {
          for (const [i, rule] of rules.entries()) await control.enable(session, rule, unfit[i])
        }),
      )
    },
    async off() {
      await Promise.all(
        all.map(async ({ control }) => {
          for (const { pattern } of rules) await control.disable(session, pattern)
          await control.flush(session, flushMs)
        }),
      )
      if (since !== undefined) switches.onSeconds += (performance.now() - since) / 1000
      since = undefined
    },
  }
  return switches
}

/** All that is read at the ends of a block. */
class Meter {
  #start = 0
  #threads: ReturnType<typeof readThreads> = new Map()
  #relay: ReturnType<typeof readThreads> = new Map()

  constructor(
    readonly pids: readonly number[],
    readonly relayPid: number,
    readonly load: Load | undefined,
    readonly server: Server | undefined,
  ) {}

  async begin(): Promise<void> {
    await this.server?.delay()
    this.load?.begin()
    this.#threads = readThreads(this.pids)
    this.#relay = readThreads([this.relayPid])
    this.#start = performance.now()
  }

  async read(): Promise<Readings> {
    const seconds = (performance.now() - this.#start) / 1000
    const { ns, ownNs, switches } = usedSince(this.#threads, readThreads(this.pids))
    const relay = usedSince(this.#relay, readThreads([this.relayPid]))
    return {
      ...{ cpu: ns / 1e9 / seconds, ownCpu: ownNs / 1e9 / seconds, switches: switches / seconds },
      relayCpu: relay.ns / 1e9 / seconds,
      ...this.load?.read(seconds),
      ...(await this.server?.delay()),
    }
  }
}

async function totalsOf(
  targets: readonly Target[],
  session: string,
): Promise<{ events: number; lost: number }> {
  const answers = await Promise.allSettled(targets.map(({ control }) => control.process()))
  const own = answers
    .flatMap((one) => (one.status === 'fulfilled' ? one.value.sessions : []))
    .filter(({ spec }) => spec.name === session)
  return {
    events: own.reduce((sum, { events, lost }) => sum + events + lostOf(lost), 0),
    lost: own.reduce((sum, { lost }) => sum + lostOf(lost), 0),
  }
}

/** Where another session has them on all the time, what is measured is one session more. */
async function tellOthers(
  targets: readonly Target[],
  rules: readonly RuleRequest[],
  session: string,
): Promise<void> {
  const covers = rules.map(({ pattern }) => compileGlob(pattern))
  const all = (await Promise.all(targets.map(({ control }) => control.tracepoints()))).flat()
  const others = all
    .filter((one) => covers.some((covered) => covered(nameOf(one))))
    .flatMap(({ on }) => on.map((one) => one.session))
    .filter((name) => name !== session)
  if (others.length === 0) return
  const names = [...new Set(others)].join(', ')
  note(`some of them are on in session ${names} all the time: what is measured is one session more`)
}
