// lib/cli/verbs/top.ts: `blkin top`: what goes on in running processes, drawn once a second: how often each tracepoint is hit,
// and how long it takes from a beginning to its end. Without a terminal it prints the same as text, or as JSON.
import type { Followed, TraceItem } from '@blkin/relay'
import { Command, Option } from 'commander'
import { generalName } from '../names/frequent.js'
import { checkFlag, ending, watchCodes } from '../options/exit.js'
import {
  channelOptions,
  enableOption,
  givenFlags,
  jsonOption,
  pidOption,
  relayOption,
  ruleOptions,
} from '../options/flags.js'
import { count } from '../print/amounts.js'
import { leave, neverWaitFor, readerGone } from '../print/lines.js'
import { lostOf } from '../print/losses.js'
import { print, printJson, styleFor } from '../print/print.js'
import { stateText } from '../print/state-text.js'
import { type Source, type WatchFlags, watch } from '../process/watch.js'
import { readFollowed, timeOf } from '../relay/followed.js'
import { type Pair, parsePair } from '../top/pairs.js'
import { Screen } from '../top/screen.js'
import { type Heading, renderTop } from '../top/top-frame.js'
import { type Event, TopModel } from '../top/top-model.js'

interface Flags extends WatchFlags {
  pair: Pair[]
}

const periodMs = 1000

export function topCommand(): Command {
  const command = new Command('top')
    .summary('watch rates, losses and latencies')
    .description('Shows rates, and the time from beginnings to ends; q quits.')
    .addOption(pidOption())
    .addOption(relayOption())
    .addOption(enableOption('only these (all)'))
    .addOption(
      new Option('--pair <begin,end[,key]>', 'time between, by field')
        .default([], '')
        .argParser((text: string, before: Pair[]) => [...before, checkFlag('--pair', () => parsePair(text))]),
    )
  for (const option of [...ruleOptions(), ...channelOptions(), jsonOption()]) command.addOption(option)
  return command
    .addHelpText('after', ending('blkin top -p 4711 --pair disk:submit,disk:complete,tag', watchCodes))
    .action(run)
}

/** Nanoseconds from the first event: whole in a double for a hundred days. */
function clock(): (seconds: number, nanoseconds: number) => number {
  let base: number | undefined
  return (seconds, nanoseconds) => {
    base ??= seconds
    return (seconds - base) * 1e9 + nanoseconds
  }
}

async function run(flags: Flags, command: Command): Promise<void> {
  neverWaitFor(process.stdout)
  neverWaitFor(process.stderr)
  const model = new TopModel(flags.pair)
  const since = clock()
  let dropped = 0
  // By thread where no field tells what belongs together.
  const context = [...new Set(['tid', ...(flags.context ?? [])])]
  const watched = flags.relay === undefined ? { ...flags, context } : flags
  await watch('top', watched, givenFlags(command), {
    items(items) {
      for (const item of items) if (item.kind === 'event') model.event(ofItem(item, since))
    },
    followed(followed) {
      dropped += followed.dropped
      countFollowed(followed, model, since)
    },
    begin: (source) => show(model, source, flags, () => dropped),
  })
  await leave()
}

function ofItem(item: TraceItem & { kind: 'event' }, since: ReturnType<typeof clock>): Event {
  const { tracepoint, trace, seconds, nanoseconds, fields, context } = item
  return {
    name: generalName(`${tracepoint.provider}:${tracepoint.event}`),
    ...{ pid: trace.pid, ns: since(seconds, nanoseconds), fields, context },
    fieldNames: () => tracepoint.fields.map(({ name }) => name),
  }
}

function countFollowed({ events }: Followed, model: TopModel, since: ReturnType<typeof clock>): void {
  for (const line of events) {
    const one = readFollowed(line)
    if (one.lost !== undefined) continue
    const time = timeOf(one)
    model.event({
      name: generalName(`${one.provider}:${one.event}`),
      ...{ pid: one.pid, fields: one.fields, context: one.context },
      ns: since(Number(time / 1_000_000_000n), Number(time % 1_000_000_000n)),
      fieldNames: () => Object.keys(one.fields),
    })
  }
}

const starting: Heading = { processes: 'starting', sessions: 0, relay: 'idle', lost: 0 }

/** Once a second, and when the screen changes its size. */
function show(model: TopModel, source: Source, flags: Flags, dropped: () => number) {
  const style = styleFor(process.stdout)
  let heading = starting
  const whole = process.stdout.isTTY === true && !flags.json
  const draw = () => screen?.draw(renderTop(heading, model.rows(), screen.size, style))
  const screen = whole ? new Screen(draw) : undefined
  draw()
  let last = performance.now()
  let asking = false
  const timer = setInterval(async () => {
    const now = performance.now()
    model.tick((now - last) / 1000)
    last = now
    if (asking) return draw() // a process does not answer: the heading stays, and the rest goes on
    asking = true
    heading = await headingOf(source, model, dropped())
    asking = false
    if (screen !== undefined) draw()
    else if (process.stdout.writableLength > 0)
      return // whoever reads is slow: the next second counts
    else if (flags.json) printJson(topJson(heading, model))
    else for (const line of plain(heading, model)) print(line)
  }, periodMs)
  return {
    done: Promise.race([readerGone(), ...(screen === undefined ? [] : [screen.quit])]),
    end() {
      clearInterval(timer)
      screen?.close()
    },
  }
}

async function headingOf(source: Source, model: TopModel, dropped: number): Promise<Heading> {
  const states = await source.states()
  const mine = states.flatMap(({ state, session }) =>
    state.sessions.filter(({ spec }) => spec.name === session),
  )
  const bad = mine.find(({ relayState }) => relayState !== 'connected' && relayState !== 'idle')
  const only = states.length === 1 ? states[0]?.state : undefined
  return {
    processes:
      source.relay !== undefined
        ? `${count(model.pids, 'process')} heard`
        : only === undefined
          ? count(states.length, 'process')
          : `${only.pid} (${only.program})`,
    sessions: states.reduce((sum, { state }) => sum + state.sessions.length, 0),
    relay: source.relay ?? (bad === undefined ? (mine[0]?.relayState ?? 'gone') : stateText(bad)),
    lost: mine.reduce((sum, { lost }) => sum + lostOf(lost), dropped),
  }
}

const plain = (heading: Heading, model: TopModel): string[] => {
  const rows = model.rows()
  return [...renderTop(heading, rows, { width: 120, height: rows.length + 4 }, styleFor({})), '']
}

function topJson({ processes, sessions, relay, lost }: Heading, model: TopModel) {
  const tracepoints = model.rows().map(({ name, rate, total, until, p50, p99 }) => ({
    ...{ tracepoint: name, rate: Math.round(rate), total },
    ...(until === undefined ? {} : { until }),
    ...(p50 === undefined ? {} : { p50: Math.round(p50), p99: Math.round(p99 ?? p50) }),
  }))
  return { time: new Date().toISOString(), processes, sessions, relay, lost, tracepoints }
}
