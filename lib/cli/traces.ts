// lib/cli/traces.ts: `blkin traces`: finds traces, by Zipkin's API, and prints a line for each, the newest first.
import type { Span } from '@blkin/relay'
import { Command, Option } from 'commander'
import { duration, grouped, parseDuration, parseMicros } from './amounts.js'
import { checkFlag, UsageError } from './exit.js'
import { apiOption, jsonOption } from './flags.js'
import { print, printJson, type Style, styleFor } from './print.js'
import { visible } from './span-tree.js'
import { renderTable } from './table.js'
import { ask, nothingFound, parseApi } from './zipkin.js'

interface Flags {
  service?: string
  span?: string
  remote?: string
  min?: number
  max?: number
  tag?: string
  last: number
  limit: number
  http: string
  json?: boolean
}

export interface TraceLine {
  traceId: string
  /** Microseconds since the epoch; 0 where no span tells. */
  timestamp: number
  /** From its first beginning to its last end, in microseconds. */
  duration: number
  spans: number
  /** The service and name of the span that it began with, where that is here. */
  service: string
  name: string
  /** Spans of each service, the most first. */
  services: Record<string, number>
  error: boolean
}

const micros = (flag: string) => (text: string) => checkFlag(flag, () => parseMicros(text))

function limitOf(text: string): number {
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 10_000) return limit
  throw new UsageError(`--limit: ${JSON.stringify(text)}: expected a whole number from 1 to 10000`)
}

export function tracesCommand(): Command {
  return new Command('traces')
    .summary('find causal traces, at a relay or a Zipkin server')
    .description("Finds traces by Zipkin's API, the newest first.")
    .addOption(new Option('-s, --service <name>', 'with a span of this service'))
    .addOption(new Option('--span <name>', 'with a span of this name'))
    .addOption(new Option('--remote <name>', 'with a call to this service'))
    .addOption(new Option('--min <time>', 'with a span at least so long').argParser(micros('--min')))
    .addOption(new Option('--max <time>', 'and at most so long').argParser(micros('--max')))
    .addOption(new Option('--tag <query>', 'such as "error and http.method=GET"'))
    .addOption(
      new Option('--last <time>', 'of this time')
        .default(86_400_000, '24h')
        .argParser((text) => checkFlag('--last', () => parseDuration(text))),
    )
    .addOption(new Option('-n, --limit <count>', 'so many').default(10, '10').argParser(limitOf))
    .addOption(apiOption())
    .addOption(jsonOption())
    .addHelpText('after', '\nExample: blkin traces --service blockstore --min 20ms')
    .action(run)
}

async function run({ json, http, ...flags }: Flags): Promise<void> {
  const api = parseApi(http)
  const found = (await ask(api, 'traces', queryOf(flags))) as Span[][]
  if (found.length === 0) throw await nothingFound(api, flags.service)
  const lines = found.map(lineOf).sort((a, b) => b.timestamp - a.timestamp)
  if (json) for (const line of lines) printJson(line)
  else for (const line of renderTraces(lines, styleFor(process.stdout))) print(line)
}

function queryOf({
  service,
  span,
  remote,
  min,
  max,
  tag,
  last,
  limit,
}: Omit<Flags, 'http'>): URLSearchParams {
  const given = {
    ...{ serviceName: service, spanName: span, remoteServiceName: remote, annotationQuery: tag },
    ...{ minDuration: min, maxDuration: max, lookback: last, limit },
  }
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(given)) if (value !== undefined) query.set(name, String(value))
  return query
}

/** Pure. */
export function lineOf(trace: readonly Span[]): TraceLine {
  let [first, end] = [Number.POSITIVE_INFINITY, 0]
  const counts = new Map<string, number>()
  for (const { timestamp = 0, duration: took = 0, localEndpoint } of trace) {
    if (timestamp > 0) {
      first = Math.min(first, timestamp)
      end = Math.max(end, timestamp + took)
    }
    const service = localEndpoint?.serviceName ?? ''
    counts.set(service, (counts.get(service) ?? 0) + 1)
  }
  const root = trace.find(({ parentId, shared }) => parentId === undefined && !shared)
  return {
    traceId: trace[0]?.traceId ?? '',
    timestamp: end === 0 ? 0 : first,
    duration: end === 0 ? 0 : end - first,
    spans: trace.length,
    service: root?.localEndpoint?.serviceName ?? '',
    name: root?.name ?? '',
    services: Object.fromEntries([...counts].sort((a, b) => b[1] - a[1])),
    error: trace.some(({ tags }) => tags !== undefined && Object.hasOwn(tags, 'error')),
  }
}

/** Pure. */
export function renderTraces(traces: readonly TraceLine[], style: Style): string[] {
  const right = true
  const columns = [
    ...[{ head: 'TRACE' }, { head: 'WHEN' }, { head: 'TOOK', right }, { head: 'SPANS', right }],
    ...[{ head: 'ROOT' }, { head: 'SERVICES' }, { head: '' }],
  ]
  const rows = traces.map((trace) => [
    trace.traceId,
    trace.timestamp === 0 ? '-' : new Date(trace.timestamp / 1000).toISOString(),
    duration(trace.duration * 1000),
    grouped(trace.spans),
    trace.name === '' && trace.service === '' ? '(missing)' : visible(`${trace.service} ${trace.name}`),
    visible(
      Object.entries(trace.services)
        .map(([service, spans]) => `${service} ${spans}`)
        .join(', '),
    ),
    trace.error ? style.warn('error') : '',
  ])
  const [head = '', ...lines] = renderTable(columns, rows)
  return [style.dim(head), ...lines]
}
