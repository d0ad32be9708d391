// lib/cli/verbs/traces.ts: `blkin traces`: finds traces at a relay or a Zipkin server, and lists them, the newest first.
import { Command, Option } from 'commander'
import { nearest } from '../names/nearest.js'
import { ending, NothingError } from '../options/exit.js'
import { checked, jsonOption, type ZipkinFlags, zipkinOption } from '../options/flags.js'
import { duration, grouped, localTime, parseDuration, parseMicroseconds } from '../print/amounts.js'
import { json as asJson, printLines, type Style, styleFor } from '../print/print.js'
import { cutTo, renderTable } from '../print/table.js'
import { visible } from '../print/visible.js'
import { loadRelay } from '../relay/load-relay.js'
import { ask } from '../relay/zipkin.js'
import { type Summary, summaryOf } from '../trace/trace-summary.js'
import { parametersOf, parseLimit, parseTag, type QueryFlags, tracesIn } from '../trace/traces-query.js'

interface Flags extends ZipkinFlags, QueryFlags {
  json?: boolean
}

const dayMs = 86_400_000

export function tracesCommand(): Command {
  const time = (flag: string) => checked(flag, parseMicroseconds)
  const tagOf = checked('--tag', parseTag)
  return new Command('traces')
    .summary('find traces: which, when, how long, where')
    .description('Lists traces that have spans for which all of it holds, newest first.')
    .addOption(new Option('--service <name>', 'of this service'))
    .addOption(new Option('--span <name>', 'of this name'))
    .addOption(new Option('--remote <name>', 'with this on the other side'))
    .addOption(new Option('--min <time>', 'that took this: 20ms').argParser(time('--min')))
    .addOption(new Option('--max <time>', 'at most').argParser(time('--max')))
    .addOption(
      new Option('--tag <key=value>', 'or a key, or an annotation')
        .default([], '')
        .argParser((text: string, before: string[]) => [...before, tagOf(text)]),
    )
    .addOption(
      new Option('--last <time>', 'begun since then')
        .default(dayMs, '24h')
        .argParser(checked('--last', parseDuration)),
    )
    .addOption(
      new Option('--limit <count>', 'so many').default(10, '10').argParser(checked('--limit', parseLimit)),
    )
    .addOption(zipkinOption())
    .addOption(jsonOption())
    .addHelpText('after', ending('blkin traces --service blockstore --min 20ms --tag error'))
    .action(run)
}

async function run(flags: Flags): Promise<void> {
  const parameters = parametersOf(flags)
  const { breadthFirst, treeOf } = await loadRelay()
  const traces = await tracesIn(flags.http, await ask(flags.http, 'traces', parameters))
  if (traces.length === 0) throw await nothing(flags)
  const rows = traces
    .map(treeOf)
    .map((root) => summaryOf(root, breadthFirst(root)))
    .sort((a, b) => (b.timestamp ?? 0) - (a.timestamp ?? 0))
  await printLines(flags.json ? rows.map(asJson) : renderTraces(rows, styleFor(process.stdout)))
}

/** What to do about it: a service that is not there is told from a search that is too narrow. */
async function nothing({ http, service }: Flags): Promise<NothingError> {
  const given = await ask(http, 'services')
  const services = Array.isArray(given) ? given.filter((one) => typeof one === 'string') : []
  if (services.length === 0)
    return new NothingError(`${http} has no spans yet; programs send them with BLKIN_ENABLE='blkin:*'`)
  if (service === undefined || services.includes(service.toLowerCase()))
    return new NothingError(`no such trace at ${http}; --last looks further back`)
  const near = nearest(service.toLowerCase(), services)
  const some = (near.length > 0 ? near : services.slice(0, 10)).map(visible).join(', ')
  return new NothingError(`no service ${JSON.stringify(service)} at ${http}; there is ${some}`)
}

/** So many letters of a cell at most: names are anybody's. --json has all. */
const most = 60

/** Pure. */
export function renderTraces(rows: readonly Summary[], style: Style): string[] {
  const right = true
  const columns = [
    { head: 'TRACE' },
    { head: 'WHEN' },
    { head: 'DURATION', right },
    { head: 'SPANS', right },
    { head: 'ERRORS', right },
    { head: 'SERVICES' },
    { head: 'ROOT' },
  ]
  const cells = rows.map(({ traceId, timestamp, duration: took, spans, errors, services, root }) => [
    traceId,
    timestamp === undefined ? '-' : localTime(timestamp),
    took === undefined ? '-' : duration(took * 1000),
    grouped(spans),
    errors > 0 ? style.warn(grouped(errors)) : '-',
    cell(services.map(({ service, spans }) => `${service} ${spans}`).join(', ') || '-'),
    root === undefined ? style.warn('missing') : cell(`${root.service ?? '?'}: ${root.name ?? '?'}`),
  ])
  const [head = '', ...lines] = renderTable(columns, cells)
  return [style.dim(head), ...lines]
}

const cell = (text: string): string => cutTo(visible(text.slice(0, 4 * most)), most)
