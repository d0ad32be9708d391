// test/soak/run.mjs: the soak itself: two relays, a fleet, what people do to it, and what is measured meanwhile. scripts/soak.mjs calls
// soak(), in a /dev/shm of its own where it can.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Account } from './account.mjs'
import { actionsOn } from './actions.mjs'
import { flatness } from './flatness.mjs'
import { Fleet } from './fleet.mjs'
import { RelayProcess } from './relay-process.mjs'
import { heapOf, outputNow, processNow, sharedMemoryNow } from './samples.mjs'

/** What is measured, by the names of the report; each a list of samples by the measures of flatness.mjs. */
class Series {
  all = new Map()

  add(of, values) {
    for (const [measure, value] of Object.entries(values)) {
      const key = `${of}: ${measure}`
      if (!this.all.has(key)) this.all.set(key, { of, measure, samples: [] })
      this.all.get(key).samples.push(value)
    }
  }

  results() {
    return [...this.all.values()].map(({ of, measure, samples }) => ({
      of,
      measure,
      ...flatness(measure, samples),
    }))
  }
}

const sampleMs = (minutes) => Math.min(5000, (minutes * 60_000) / 90)

/** @param {{ minutes: number, plant?: string, say: (line: string) => void }} options */
export async function soak({ minutes, plant, say }) {
  const folder = mkdtempSync(join(tmpdir(), 'blkin-soak-'))
  const started = []
  let fleet
  const end = new AbortController()
  try {
    if (plant !== undefined) process.env.SOAK_PLANT = plant
    const node = plant === undefined ? [] : ['--import', join(import.meta.dirname, 'plant.mjs')]
    const relay = async (name, options = {}) => {
      const output = join(folder, name)
      const one = await RelayProcess.start({ output, ...options })
      started.push(one)
      return one
    }
    // One trace is kept, and what is younger than the relay's minute. Not by the other: what comes while it is away may be
    // brought later than that, and a trace that went before it was counted would look like a loss.
    const steady = await relay('steady', { node, flags: ['--keep', '1'] })
    const restarted = await relay('restarted')
    const counts = join(folder, 'counts')
    mkdirSync(counts)
    const account = new Account(counts)
    fleet = new Fleet({ account, counts, relays: [steady, restarted] })
    fleet.startStaying(steady)
    fleet.startStaying(restarted)
    const actions = actionsOn({ fleet, steady, restarted })
    const done = Object.fromEntries(actions.flatMap(Object.keys).map((name) => [name, 0]))
    const series = new Series()

    const measuring = async () => {
      while (!end.signal.aborted) {
        await sleep(sampleMs(minutes))
        for (const one of started) one.check()
        const heap = await heapOf(steady.http).catch((error) => {
          throw new Error(`the relay was asked for its heap: ${error.message}`)
        })
        series.add('the relay', { ...processNow(steady.pid), heap })
        for (const { name, pid, usage } of fleet.staying)
          series.add(`a program that ${name.replace('-', ', ')}`, {
            ...processNow(pid),
            ...(usage ? { heap: usage.heapUsed } : {}),
          })
        series.add('/dev/shm', sharedMemoryNow())
        series.add('traces of programs that ended', outputNow(steady.output))
      }
    }
    const acting = async (list) => {
      await sleep(3000)
      while (!end.signal.aborted)
        for (const [name, action] of Object.entries(list)) {
          if (end.signal.aborted) return
          await action().catch((error) => {
            throw new Error(`${name}: ${error.message}`)
          })
          done[name]++
          await sleep(200)
        }
    }
    const settling = async () => {
      while (!end.signal.aborted) {
        await sleep(3000)
        await account.settle()
      }
    }
    const timer = setTimeout(() => end.abort(), minutes * 60_000)
    const tell = setInterval(
      () => say(`${account.totals.programs} programs, ${JSON.stringify(done)}`),
      30_000,
    )
    try {
      await Promise.all(
        [fleet.run(end.signal), measuring(), settling(), ...actions.map(acting)].map(stopAllOnError),
      )
    } finally {
      clearTimeout(timer)
      clearInterval(tell)
    }
    say('all come to their ends')
    await fleet.stop()
    for (const until = Date.now() + 300_000; account.left.length > 0; await sleep(500)) {
      await account.settle()
      if (Date.now() > until) throw new Error(`not delivered after 5 minutes: ${account.left.join(', ')}`)
    }
    await steady.stop('SIGTERM')
    return { minutes, totals: account.totals, ended: fleet.ended, done, measured: series.results() }
  } finally {
    end.abort()
    fleet?.killAll()
    await Promise.all(started.map((one) => one.stop('SIGKILL')))
    rmSync(folder, { recursive: true, force: true })
  }

  async function stopAllOnError(work) {
    try {
      await work
    } catch (error) {
      end.abort()
      throw error
    }
  }
}
