// bench/lib/end-to-end.mjs: the highest rate that goes from a program through ring, consumer and relay into files with
// nothing lost. Each rate is a program and a relay of their own, writing to a folder that is removed afterwards.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'
import { countEvents } from './count.mjs'
import { threadTimes, usedBetween } from './threads.mjs'

const sizes = [12]
const startMillions = 2
const stepsUp = 1.5
const closeEnough = 0.25 // million events a second between a rate that holds and one that does not

/** Counts and times of one rate; throws where any two counts of the same thing differ. */
export async function runRate(perSecond, seconds) {
  mkdirSync(join(root, 'build'), { recursive: true })
  const folder = mkdtempSync(join(root, 'build/bench-trace-'))
  const relay = new Child(process.execPath, [join(root, 'bench/js/relay.mjs'), folder])
  let program
  try {
    const env = { ...process.env, BLKIN_RELAY: await relay.hear(), BLKIN_ENABLE: '', BLKIN_BUFFER: '8x4M' }
    program = new Child(process.execPath, [join(root, 'bench/js/paced.mjs')], { env })
    const before = [threadTimes(program.pid), threadTimes(relay.pid)]
    const result = JSON.parse(await program.ask(`go ${Math.round(perSecond / 1000)} ${seconds * 1000}`))
    const used = usedBetween(before[0], threadTimes(program.pid))
    const usedRelay = usedBetween(before[1], threadTimes(relay.pid))
    const [stored] = JSON.parse(await relay.ask('stats')).processes
    const counted = countEvents(stored.folder, sizes).events
    const expected = result.ever - result.lostEver
    if (!result.delivered)
      throw new Error(`end to end: not all of ${expected} events were delivered in a minute`)
    for (const [who, count] of Object.entries({ 'the relay': stored.events, 'the files': counted })) {
      if (count !== expected) throw new Error(`end to end: ${who}: ${count} events; expected ${expected}`)
    }
    const per = (seconds_) => (100 * seconds_) / ((result.took + result.drained) / 1000)
    return {
      perSecond: result.emitted / (result.took / 1000),
      asked: perSecond,
      ...result,
      stored: stored.events,
      counted,
      fileBytes: stored.bytes,
      cpu: {
        emitting: (100 * result.busy) / result.took,
        consumer: per(used['blkin-consumer']),
        relayMain: per(usedRelay.main),
        relayOthers: per(usedRelay.others),
        relaySystem: per(usedRelay.system),
      },
    }
  } finally {
    await program?.end()
    await relay.end()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A rate holds when all was emitted in time, nothing was lost, and what was in the rings at the end was soon gone. */
export const holds = (run, seconds) => run.lost === 0 && run.took < seconds * 1000 * 1.02 && run.drained < 500

/** Up until one fails, then halving between; each rate that fails gets a second try. @returns the runs, in order */
export async function findHighest(seconds, progress) {
  const runs = []
  const tried = async (millions) => {
    for (let go = 0; go < 2; go++) {
      const run = await runRate(millions * 1e6, seconds)
      const held = holds(run, seconds)
      runs.push({ ...run, held })
      progress?.(runs.at(-1))
      if (held) return true
    }
    return false
  }
  let good = 0
  let bad = startMillions
  while (await tried(bad)) {
    good = bad
    bad *= stepsUp
  }
  while (bad - good > Math.max(closeEnough, bad / 16)) {
    const middle = (good + bad) / 2
    if (await tried(middle)) good = middle
    else bad = middle
  }
  return runs
}
