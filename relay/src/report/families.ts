// relay/src/report/families.ts: everything that a relay counts, as metrics: their names, what they mean, and where the numbers come
// from, which is what stats() has. docs/metrics.md lists them, and a test holds the two together. Pure.

import type { Family, Labels, Numbers } from '../metrics/exposition.js'
import type { OutboxStats } from '../pipeline/delivery/outbox.js'
import type { Latencies } from '../pipeline/latencies.js'
import type { TracingStats } from '../pipeline/stats.js'
import type { AnswerCount } from '../ports/http/answers.js'
import type { ConnectionCounts } from '../ports/listener.js'
import type { RelayCounts } from './counts.js'

export interface Counted {
  version: string
  counts: RelayCounts
  tracing: TracingStats
  answers: readonly AnswerCount[]
  latencies: Latencies
  /** Bytes of the store's files. */
  files: Readonly<Record<string, number>>
}

type Sample = readonly [labels: Labels, value: number]

const metric =
  (type: Numbers['type']) =>
  (name: string, help: string, samples: readonly Sample[] | number): Numbers => ({
    ...{ name: `blkin_relay_${name}`, type, help },
    samples: typeof samples === 'number' ? [[{}, samples]] : samples,
  })
const counter = metric('counter')
const gauge = metric('gauge')

/** A sample for each of the counts, by what it is called. */
const by = (label: string, counts: object): Sample[] =>
  Object.entries(counts).map(([name, count]) => [{ [label]: snake(name) }, count as number])

const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)

const NOT_BEHIND = { bytes: 0, ms: 0 }

/** Those of which there is something. */
export function relayMetrics(counted: Counted): Family[] {
  const families: Family[] = [
    gauge('build_info', 'The relay that answers.', [[{ version: counted.version }, 1]]),
    ...ofIntake(counted),
    ...ofTraces(counted),
    ...ofSpans(counted),
    ...ofStore(counted),
    ...ofScribe(counted),
    ...ofOutboxes('sink', 'spans', counted.tracing.sinks),
    ...ofAlerts(counted.tracing),
    ...ofLatencies(counted.latencies),
  ]
  return families.filter((family) => family.type === 'histogram' || family.samples.length > 0)
}

function ofIntake({ counts, answers }: Counted): Family[] {
  const { processes, totals, connections, scribe, rejections } = counts
  const ports: [string, ConnectionCounts][] = [['blkin', connections]]
  if (scribe) ports.push(['scribe', scribe.connections])
  const each = (key: keyof ConnectionCounts): Sample[] => ports.map(([port, all]) => [{ port }, all[key]])
  const connected = processes.filter(({ connected }) => connected).length
  const rejected = new Map<string, Sample>()
  for (const { what, reason, count } of rejections) {
    const [, before] = rejected.get(`${what} ${reason}`) ?? [{}, 0]
    rejected.set(`${what} ${reason}`, [{ what, reason }, before + count])
  }
  return [
    gauge('processes', 'Traced processes that are connected.', connected),
    gauge('connections', 'Connections that are open.', each('open')),
    counter('connections_refused', 'Connections turned away: too many were open.', each('refused')),
    counter('connections_ended', 'Connections that the relay ended.', each('ended')),
    counter('events', 'Events taken from traced processes.', totals.events),
    counter('events_lost', 'Events that traced processes lost, by why.', by('reason', totals.lost)),
    counter('event_bytes', 'Bytes of packets of events that were stored.', totals.bytes),
    counter('puts', 'Puts of packets that were stored.', totals.puts),
    counter('rejected', 'What was turned away or could not be kept, by what it was and why.', [
      ...rejected.values(),
    ]),
    counter(
      'http_requests',
      'Requests over HTTP, by how they were answered.',
      answers.map(({ method, status, count }) => [{ method, code: String(status) }, count]),
    ),
  ]
}

function ofTraces({ counts: { traces } }: Counted): Family[] {
  if (traces === undefined) return []
  const { kept, removed, repaired } = traces
  return [
    gauge('kept_traces', 'Traces in the output folder.', kept.traces),
    gauge('kept_trace_bytes', 'Size of their files.', kept.bytes),
    counter('removed_traces', 'Traces that went by --keep.', removed.traces),
    counter('removed_trace_bytes', 'What their files took.', removed.bytes),
    counter('removed_trace_events', 'Events that were in them.', removed.events),
    counter('repaired_streams', 'Files of which the disk had lost what was stored.', repaired.streams),
    counter('repaired_stream_events', 'Events that are missing there.', repaired.events),
  ]
}

function ofSpans({ tracing, counts: { behind = NOT_BEHIND } }: Counted): Family[] {
  const { spans, posted, scribed, stored, sampledOut, refused, waiting, pieces, traces } = tracing
  const { inSpans, duplicates, malformed, orphaned, tooLate, tooMany } = tracing
  return [
    counter(
      'spans_received',
      'Spans that came, by how.',
      by('by', { events: spans, post: posted, scribe: scribed }),
    ),
    counter('spans_stored', 'Spans written.', stored),
    counter('spans_sampled_out', 'Spans that are not stored by --sample.', sampledOut),
    counter('spans_refused', 'Spans for which there was no room, or that could not be written.', refused),
    gauge('spans_waiting', 'Spans to be decided on, or written.', waiting),
    gauge(
      'span_bytes_behind',
      'Bytes of spans that are in their streams and not assembled yet.',
      behind.bytes,
    ),
    gauge('spans_behind_seconds', 'For how long the first of those has been there.', behind.ms / 1000),
    gauge('span_pieces_waiting', 'Messages by Scribe whose other pieces may still come.', pieces),
    counter('traces', 'Traces by what --sample decided.', by('decision', traces ?? {})),
    counter(
      'span_events',
      'Events of spans, by what became of them.',
      by('outcome', { inSpans, duplicates, malformed, orphaned, tooLate, tooMany }),
    ),
    gauge('span_events_held', 'Events of spans that are open, or ended a moment ago.', tracing.held),
    counter('spans_incomplete', 'Spans assembled without an end.', tracing.incomplete),
    counter('spans_backwards', 'Spans assembled whose end is before their begin.', tracing.backwards),
  ]
}

const ofStore = ({ files }: Counted): Family[] => [
  gauge('store_bytes', 'Size of the files of spans.', by('file', files)),
]

function ofScribe({ counts: { scribe } }: Counted): Family[] {
  if (scribe === undefined) return []
  const { good, bad, denied, bytes } = scribe
  return [
    counter(
      'scribe_messages',
      'Messages by Scribe, by whether they could be taken.',
      by('outcome', { good, bad }),
    ),
    counter('scribe_batches_denied', 'Batches by Scribe that were put off.', denied),
    counter('scribe_written_bytes', 'Bytes of messages by Scribe that were written to files.', bytes),
  ]
}

function ofOutboxes(kind: 'sink' | 'receiver', things: string, outboxes: readonly OutboxStats[]): Family[] {
  const each = (of: (outbox: OutboxStats) => number): Sample[] =>
    outboxes.map((outbox) => [{ [kind]: outbox.name }, of(outbox)])
  const outcomes = outboxes.flatMap(({ name, delivered, refused, dropped }) =>
    by('outcome', { delivered, refused, dropped }).map(
      ([labels, n]): Sample => [{ [kind]: name, ...labels }, n],
    ),
  )
  return [
    counter(`${kind}_${things}`, `What a ${kind} was to get, by what became of it.`, outcomes),
    gauge(
      `${kind}_${things}_waiting`,
      `What waits for a ${kind}.`,
      each(({ waiting }) => waiting),
    ),
    gauge(
      `${kind}_up`,
      `Whether a ${kind} took the last that it was sent.`,
      each(({ error }) => Number(error === undefined)),
    ),
  ]
}

function ofAlerts({ alerts }: TracingStats): Family[] {
  if (alerts === undefined) return []
  const { judged, givenUp, late, waiting } = alerts.missing
  const receivers = [...(alerts.webhook ? [alerts.webhook] : []), ...(alerts.alertmanagers ?? [])]
  const firing = alerts.alerts.map(({ alert, by: of, state }): Sample => {
    const value = of === undefined ? {} : { value: of.value }
    return [{ alert, ...value }, Number(state === 'firing')]
  })
  return [
    gauge(
      'alert_firing',
      'Whether an alert of --alerts fires, by its rule and the value of what that goes by.',
      firing,
    ),
    counter('alerts_fired', 'How often alerts began to fire.', alerts.fired),
    counter('alerts_resolved', 'How often alerts were resolved.', alerts.resolved),
    counter(
      'alert_traces',
      'Traces that rules of missing spans are about.',
      by('outcome', { judged, givenUp }),
    ),
    counter('alert_spans_late', 'Spans that came when their trace was judged.', late),
    gauge('alert_spans_waiting', 'Spans whose trace is to be judged.', waiting),
    ...ofOutboxes('receiver', 'alerts', receivers),
  ]
}

const ofLatencies = (latencies: Latencies): Family[] => [
  counter('spans_unmeasured', 'Spans without a duration: in no histogram.', latencies.unmeasured),
  counter('spans_folded', 'Spans counted as other: there are too many names.', latencies.folded),
  gauge('span_series', 'Histograms of spans.', latencies.count),
  {
    ...{ name: 'blkin_span_duration_seconds', type: 'histogram' },
    help: 'How long spans took, before any are sampled out.',
    series: latencies.series,
  },
]
