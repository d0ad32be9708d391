// test/soak/actions.mjs: what people do to a fleet that runs: rules on and off, sessions opened, changed and closed, followers that come
// and are killed, recordings, questions about spans; and a relay that is ended and started again.
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { spawnBound } from '../../scripts/lib/run.mjs'
import { recordedIn, tracesOf } from './account.mjs'
import { command } from './relay-process.mjs'
import { askRelay, userFolder } from './samples.mjs'

/** The command; `ended` resolves to what came out. */
function startCommand(args, signals) {
  const child = spawnBound(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text) => {
    out += text
    child.emit('told')
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    err += text
  })
  const ended = once(child, 'close', { signal: signals }).then(([code, signal]) => ({
    code,
    signal,
    out,
    err,
  }))
  return { child, ended, text: () => out }
}

async function run(...args) {
  const { code, out, err } = await startCommand(args).ended
  if (code !== 0) throw new Error(`blkin ${args.join(' ')}: exit code ${code}: ${err}`)
  return out
}

/** Until it has shown an event, which is bounded: then it is ended so. */
async function follow(args, signal) {
  const { child, ended, text } = startCommand(args)
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  await Promise.race([once(child, 'told'), ended])
  child.kill(signal)
  const { err } = await ended
  clearTimeout(timer)
  if (text() === '') throw new Error(`blkin ${args.join(' ')}: showed nothing: ${err}`)
}

/**
 * Lists, at once; what stands in one is done in turn, again and again.
 *
 * @param {{ fleet: object, steady: object, restarted: object }} context
 */
export function actionsOn({ fleet, steady, restarted }) {
  const target = () => fleet.staying[0].name
  const ofRelay = ['--relay', `unix:${userFolder}/relay-${steady.address.split(':')[1]}`]
  const sessions = { opened: 0 }

  /** A session that others open, change and close: its last form's account is exact too. */
  async function session() {
    const name = `extra-${sessions.opened++}`
    const own = ['-p', target(), '--session', name]
    await run('enable', 'soak:*', ...own, '--to', steady.address, '-b', '4x64K')
    await run('enable', 'soak:switched', ...own, '-b', '2x128K', '--sample', '1/2')
    await sleep(500)
    const { events, lost, delivered } = JSON.parse(await run('disable', ...own, '--json'))
    const lostInAll = Object.values(lost).reduce((sum, count) => sum + count)
    const traces = await Promise.all(
      tracesOf(steady.output, target(), name).map((trace) => recordedIn([trace])),
    )
    if (!delivered || !traces.some((one) => one.recorded === events && one.lost === lostInAll))
      throw new Error(
        `${name}: ${events} events and ${lostInAll} lost at its end; its traces have ${JSON.stringify(traces)}`,
      )
  }

  async function recording() {
    const output = mkdtempSync(join(tmpdir(), 'soak-record-'))
    try {
      await run('record', '-p', target(), '-e', 'soak:*', '--for', '1s', '-o', output)
      const { recorded } = await recordedIn(tracesOf(output, target()))
      if (recorded === 0) throw new Error('blkin record -p: recorded nothing')
    } finally {
      rmSync(output, { recursive: true, force: true })
    }
  }

  async function spans() {
    const services = JSON.parse(await askRelay(steady.http, '/api/v2/services'))
    const found = JSON.parse(await askRelay(steady.http, `/api/v2/traces?serviceName=${target()}&limit=10`))
    if (services.length === 0 || found.length === 0)
      throw new Error('the relay has no spans of a program that makes some')
  }

  const restart = (signal) => async () => {
    await restarted.stop(signal)
    await sleep(1500)
    await restarted.start()
    await sleep(5000)
  }

  return [
    {
      'rule on': () => run('enable', 'soak:switched', '-p', target()),
      "relay's rule on": () => run('enable', 'soak:switched', ...ofRelay),
      'session opened, changed, closed': session,
      'rule off': () => run('disable', 'soak:switched', '-p', target()),
      "relay's rule off": () => run('disable', 'soak:switched', ...ofRelay),
    },
    {
      'follower interrupted': () => follow(['tail', '-p', target(), '-e', 'soak:*'], 'SIGINT'),
      'spans asked for': spans,
      'follower killed': () => follow(['tail', '-p', target(), '-e', 'soak:*'], 'SIGKILL'),
      recording,
      "relay's follower": () => follow(['tail', ...ofRelay, '-e', 'blkin:*'], 'SIGINT'),
    },
    { 'relay ended': restart('SIGTERM'), 'relay killed': restart('SIGKILL') },
  ]
}
