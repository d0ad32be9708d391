// relay/src/pipeline/store/traces.ts: whole traces, read from the file. The store and its search ask for them by their low ids.
// The index says in which blocks a trace has spans, so that the other blocks are not read.

import type { DuckDBBlobValue, DuckDBConnection } from '@duckdb/node-api'
import type { Span } from '../../spans/span.js'
import { unpack } from './bodies.js'

/** The JSON of spans that one question may read at once, or be answered with. */
export const MOST_BYTES = 64 * 2 ** 20

/** How much a question has read. */
export class Amount {
  #bytes = 0

  constructor(readonly most = MOST_BYTES) {}

  /** @throws RangeError */
  add(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes <= this.most) return
    const megabytes = this.most / 2 ** 20
    throw new RangeError(
      `the answer has more than ${megabytes} MiB of spans; expected less: ask for fewer traces or a shorter time`,
    )
  }
}

export interface Trace {
  spans: Span[]
  /** Of their JSON. */
  bytes: number
}

/** Where the rows of a trace are. */
export type Places = [block: number, place: number][]

/** By low id: those of the traces that have a span for each of the conditions. */
export async function placesOf(
  reader: DuckDBConnection,
  lowIds: bigint[],
  conditions: string[] = [],
): Promise<Map<bigint, Places>> {
  const places = new Map<bigint, Places>()
  if (lowIds.length === 0) return places
  const hashes = lowIds.map((id) => id & 0xffff_ffffn)
  const blocks = await rows<[number]>(
    reader,
    `SELECT DISTINCT block FROM traces WHERE hash IN (${hashes.join(', ')})`,
  )
  if (blocks.length === 0) return places
  const which = `block IN (${blocks.join(', ')}) AND trace_low IN (${lowIds.join(', ')})`
  const columns = ['trace_low', 'block', 'place', ...conditions.map((sql) => `(${sql})`)]
  const lacking = new Map<bigint, Set<number>>()
  for (const [trace, block, place, ...holds] of await rows<[bigint, number, number, ...boolean[]]>(
    reader,
    `SELECT ${columns.join(', ')} FROM spans WHERE ${which}`,
  )) {
    let known = places.get(trace)
    if (known === undefined) {
      known = []
      places.set(trace, known)
      lacking.set(trace, new Set(conditions.keys()))
    }
    known.push([block, place])
    for (const [i, one] of holds.entries()) if (one) lacking.get(trace)!.delete(i)
  }
  for (const [trace, { size }] of lacking) if (size > 0) places.delete(trace)
  return places
}

/** All spans of traces with these low ids; traces of one low id and different high ids are different traces. */
export async function tracesOf(reader: DuckDBConnection, lowIds: bigint[]): Promise<Trace[]> {
  return tracesAt(reader, [...(await placesOf(reader, lowIds)).values()])
}

export async function tracesAt(reader: DuckDBConnection, places: Places[]): Promise<Trace[]> {
  const bodies = new Set<string>() // what was sent twice is told once
  for await (const body of bodiesAt(reader, places)) bodies.add(body)
  const traces = new Map<string, Trace>()
  for (const body of bodies) {
    const span = JSON.parse(body) as Span
    let trace = traces.get(span.traceId)
    if (trace === undefined) {
      trace = { spans: [], bytes: 0 }
      traces.set(span.traceId, trace)
    }
    trace.spans.push(span)
    trace.bytes += body.length
  }
  return [...traces.values()]
}

/** Blocks whose bodies are unpacked at once. */
const AT_ONCE = 64

/** @throws RangeError where they are too many to hold */
async function* bodiesAt(reader: DuckDBConnection, wanted: Places[]): AsyncGenerator<string> {
  const places = new Map<number, number[]>()
  for (const [block, place] of wanted.flat()) {
    const known = places.get(block)
    if (known) known.push(place)
    else places.set(block, [place])
  }
  const amount = new Amount()
  const blocks = [...places.keys()]
  for (let at = 0; at < blocks.length; at += AT_ONCE) {
    const part = blocks.slice(at, at + AT_ONCE).join(', ')
    const pieces = await rows<[number, number, DuckDBBlobValue]>(
      reader,
      `SELECT block, first, bytes FROM bodies WHERE block IN (${part})`,
    )
    const unpacked = pieces.map(([block, first, { bytes }]) =>
      unpack({ block, first, bytes }, places.get(block)!),
    )
    for (const body of (await Promise.all(unpacked)).flat()) {
      amount.add(body.length)
      yield body
    }
  }
}

export async function rows<Row>(reader: DuckDBConnection, sql: string): Promise<Row[]> {
  return (await reader.runAndReadAll(sql)).getRows() as Row[]
}
