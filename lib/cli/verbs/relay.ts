// lib/cli/verbs/relay.ts: `blkin relay`: takes packets from many processes until it is told to stop.
import { once } from 'node:events'
import type { Relay, ScribeOptions, TraceRetention, TracingOptions } from '@blkin/relay'
import { Command, Option } from 'commander'
import { parseAddress } from '../../address.js'
import { ownRelay, ownSocket, parseRelay, socketPathOf, usualAddress } from '../../relay-address.js'
import { parseTraceSample, type TraceSample } from '../../trace/sampler.js'
import { userFolder } from '../../user-folder.js'
import { checkFlag, ending, refusedOption, UsageError } from '../options/exit.js'
import { checked, jsonOption, outputOption } from '../options/flags.js'
import { neverWaitFor } from '../print/lines.js'
import { note, noteText, printJson } from '../print/print.js'
import { summarize } from '../print/summary.js'
import { readAlerts } from '../relay/alerts-file.js'
import { loadRelay } from '../relay/load-relay.js'
import { keepCollecting } from '../relay/recover.js'
import { furtherTokens } from '../relay/tokens.js'

interface Flags {
  listen: string
  output: string
  http?: string
  allowOrigin?: string[]
  sample?: TraceSample
  zipkin?: string
  scribe?: string
  otlp?: string
  scribeListen?: string
  category?: Record<string, string>
  alerts?: string
  webhook?: string
  alertmanager?: string[]
  nice: number
  memory?: number
  keep?: TraceRetention
  token?: string
  json?: boolean
}

export function relayCommand(): Command {
  return new Command('relay')
    .summary('take events from many processes')
    .addOption(
      new Option('-l, --listen <address>', 'where')
        .default(usualAddress)
        .argParser(checked('--listen', parseRelay)),
    )
    .addOption(outputOption('where the traces go', 'traces'))
    .addOption(new Option('--keep <limits>', 'of traces that ended: 7d,20G,1000').argParser(keepOf))
    .addOption(new Option('--http <host:port>', "spans, Zipkin's API and /metrics"))
    .addOption(new Option('--allow-origin <origin>', 'whose pages may ask there').argParser(listOf))
    .addOption(
      new Option('--sample <rate>', 'traces to store: 50/s, 1/100').argParser((text) =>
        checkFlag('--sample', () => parseTraceSample(text)),
      ),
    )
    .addOption(new Option('--zipkin <url>', 'spans go on to that server').env('BLKIN_ZIPKIN'))
    .addOption(new Option('--scribe <host:port>', '... by Scribe').argParser(addressOf('--scribe')))
    .addOption(new Option('--otlp <url>', "... by OpenTelemetry's protocol").env('BLKIN_OTLP'))
    .addOption(
      new Option('--scribe-listen <host:port>', "Scribe's messages, there").argParser(
        addressOf('--scribe-listen'),
      ),
    )
    .addOption(
      new Option('--category <pattern=folder>', 'where those of a category go').argParser(categoriesOf),
    )
    .addOption(new Option('--alerts <file>', 'rules over spans, a line each'))
    .addOption(new Option('--webhook <url>', 'who is told when one fires').env('BLKIN_WEBHOOK'))
    .addOption(
      new Option('--alertmanager <url>', '... Alertmanager, or several')
        .env('BLKIN_ALERTMANAGER')
        .argParser(listOf),
    )
    .addOption(
      new Option('--nice <0-19>', 'how much it yields to programs (10)')
        .default(USUAL_NICE)
        .argParser(niceOf),
    )
    .addOption(new Option('--memory <size>', 'what the store may hold: 512M').argParser(memoryOf))
    .addOption(new Option('-t, --token <text>', 'what clients must show').env('BLKIN_TOKEN'))
    .addOption(jsonOption())
    .addHelpOption(new Option('-h, --help').hideHelp()) // for want of a line
    .addHelpText(
      'after',
      ending('blkin relay --listen 127.0.0.1:4650 -o traces', '0 done, 1 failed, 2 bad usage'),
    )
    .action(run)
}

async function run({ listen, output, json, nice, token, keep, ...flags }: Flags): Promise<void> {
  const { inMadeFolder, startRelay } = await loadRelay()
  for (const stream of [process.stdout, process.stderr]) neverWaitFor(stream)
  if (listen === ownRelay()) await inMadeFolder(userFolder(), async () => {})
  const tracing = await tracingOf(flags)
  const scribe = scribeOf(flags)
  const stopped = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]) // who asks its API may end it at once
  const relay = await startRelay({
    ...{ listen, output, nice, log: note },
    ...(tracing ? { tracing } : {}),
    ...(scribe ? { scribe } : {}),
    ...(token ? { token } : {}),
    ...(keep ? { retention: keep } : {}),
    ...furtherTokens(),
  }).catch(refusedOption)
  const { address, httpAddress, scribeAddress } = relay
  const socket = await listenAtOwnSocket(relay)
  note(`listening on ${address}, traces go to ${output}`)
  for (const one of socket) note(`your own programs and commands find it at ${one}`)
  if (httpAddress) note(`Zipkin's API is on http://${httpAddress}`)
  if (scribeAddress) note(`taking messages by Scribe on ${scribeAddress}`)
  const others = {
    ...(socket[0] === undefined ? {} : { socket: socket[0] }),
    ...(httpAddress ? { http: httpAddress } : {}),
    ...(scribeAddress ? { scribe: scribeAddress } : {}),
  }
  if (json) printJson({ listening: address, ...others, output })
  const endCollecting = keepCollecting(relay, [address, ...socket], token ?? '')
  await stopped
  await endCollecting()
  await relay.close()
  const totals = summarize(relay.stats(), output)
  if (json) printJson(totals.json)
  else noteText(totals.text)
}

/**
 * The way to this relay for this user's programs and commands: nobody else is behind that socket, and nobody else reaches
 * it. None where it listens at a socket anyway.
 */
async function listenAtOwnSocket(relay: Relay): Promise<string[]> {
  if (socketPathOf(relay.address) !== undefined) return []
  const { inMadeFolder } = await loadRelay()
  try {
    const path = ownSocket(parseAddress(relay.address).port)
    return [await inMadeFolder(userFolder(), () => relay.listenAtSocket(path))]
  } catch (error) {
    note(`no socket for this user alone: ${(error as Error).message}`)
    return []
  }
}

/** A program beside it has ten times as much of a processor that both want. */
const USUAL_NICE = 10

function niceOf(text: string): number {
  if (/^1?\d$/.test(text)) return Number(text)
  throw new UsageError(`--nice: ${JSON.stringify(text)}; expected a whole number from 0 to 19`)
}

const UNITS: Record<string, number> = { M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 }
const TIMES: Record<string, number> = { h: 3_600_000, d: 86_400_000 }

function memoryOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([MG])$/.exec(text) ?? []
  const bytes = Number(count) * UNITS[unit]!
  if (bytes >= 128 * 2 ** 20) return bytes
  throw new UsageError(`--memory: ${JSON.stringify(text)}; expected 128M or more, such as 512M or 2G`)
}

/** An age, a size, a number of traces: each once at most. */
function keepOf(text: string): TraceRetention {
  const kept: TraceRetention = {}
  for (const part of text.split(',').map((one) => one.trim())) {
    const [, count, unit = ''] = /^([1-9]\d{0,8})([hdMGT]?)$/.exec(part) ?? []
    const of = unit in TIMES ? 'maxAge' : unit in UNITS ? 'maxBytes' : 'maxTraces'
    if (count === undefined || kept[of] !== undefined)
      throw new UsageError(
        `--keep: ${JSON.stringify(text)}; expected an age (12h, 7d), a size (500M, 20G), a number of traces, or some of them: 7d,20G`,
      )
    kept[of] = Number(count) * (TIMES[unit] ?? UNITS[unit] ?? 1)
  }
  return kept
}

const addressOf =
  (flag: string) =>
  (text: string): string => {
    if (text !== '') checkFlag(flag, () => parseAddress(text))
    return text
  }

type TracingFlags = Omit<Flags, 'listen' | 'output' | 'nice' | 'keep'>

/** Undefined: nobody asks for spans, but for those that come by Scribe. */
async function tracingOf(flags: TracingFlags): Promise<TracingOptions | undefined> {
  const {
    http,
    allowOrigin,
    sample,
    zipkin,
    scribe,
    otlp,
    alerts,
    webhook,
    alertmanager,
    scribeListen,
    memory,
  } = flags
  const sinks = { ...(zipkin ? { zipkin } : {}), ...(scribe ? { scribe } : {}), ...(otlp ? { otlp } : {}) }
  const receivers = {
    ...(webhook ? { webhook } : {}),
    ...(alertmanager ? { alertmanagers: alertmanager } : {}),
  }
  const goesOn = Object.keys(sinks).length > 0
  if (allowOrigin && !http) throw new UsageError('--allow-origin is about the API; expected --http with it')
  for (const [flag, given] of [
    ['--webhook', webhook],
    ['--alertmanager', alertmanager?.length],
  ] as const) {
    if (given && !alerts) throw new UsageError(`${flag} is told of alerts; expected --alerts with it`)
  }
  if (sample && !http && !goesOn && !alerts && !scribeListen)
    throw new UsageError(
      '--sample is about spans; expected --http, --zipkin, --scribe, --otlp, --alerts or --scribe-listen with it',
    )
  if (memory !== undefined && !http && !goesOn && !alerts && !scribeListen)
    throw new UsageError(
      '--memory is about spans; expected --http, --zipkin, --scribe, --otlp, --alerts or --scribe-listen with it',
    )
  if (!http && !goesOn && !alerts && !sample && memory === undefined) return undefined
  return {
    ...(http ? { listen: http } : {}),
    ...(allowOrigin ? { allowOrigins: allowOrigin } : {}),
    ...(sample ? { sample } : {}),
    ...(memory === undefined ? {} : { memory }),
    ...(goesOn ? { sinks } : {}),
    ...(alerts ? { alerts: { rules: await readAlerts(alerts), ...receivers } } : {}),
  }
}

function scribeOf({ scribeListen, category }: TracingFlags): ScribeOptions | undefined {
  if (scribeListen) return { listen: scribeListen, ...(category ? { categories: category } : {}) }
  if (category)
    throw new UsageError("--category is about Scribe's messages; expected --scribe-listen with it")
  return undefined
}

/** The flag may be given more than once, and more than one at once. */
const listOf = (text: string, before: string[] = []): string[] => [
  ...before,
  ...text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
]

/** The same. */
function categoriesOf(text: string, before: Record<string, string> = {}): Record<string, string> {
  const pairs = text.split(',').map((part): [pattern: string, folder: string] => {
    const at = part.indexOf('=')
    if (at < 1)
      throw new UsageError(`--category: ${JSON.stringify(part)}; expected PATTERN=FOLDER, such as "app*=app"`)
    return [part.slice(0, at).trim(), part.slice(at + 1).trim()]
  })
  return { ...before, ...Object.fromEntries(pairs) }
}
