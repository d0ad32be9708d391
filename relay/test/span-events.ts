// relay/test/span-events.ts: the events of spans as a tracer declares and packs them, for tests of what follows.
// It shares no code with the relay's contract.ts, so that a change of one side alone is seen.

import { types } from '../src/protocol/wire.js'
import { field, tracepoint } from './client.js'
import { encode, type StreamWriter } from './ctf-writer.js'

const { Type } = types

const label = (name: string, value: number) => new types.Label({ name, value: value as never })
const id = () => [field('trace_low', Type.U64), field('span', Type.U64)]

const kinds = ['local', 'client', 'server', 'producer', 'consumer'] as const
export type KindName = (typeof kinds)[number]

/** In the order of their ids. */
export function spanTracepoints(i64: (value: number) => unknown) {
  const kind = field('kind', Type.ENUM, {
    container: Type.U8,
    labels: kinds.map((name, value) => label(name, i64(value) as never)),
  })
  return [
    tracepoint(0, 'blkin:span_begin', [
      ...[field('trace_high', Type.U64), ...id(), field('parent', Type.U64), kind],
      ...[field('flags', Type.U8), field('probability', Type.F32), field('name', Type.STRING)],
    ]),
    tracepoint(1, 'blkin:span_annotation', [...id(), field('value', Type.STRING)]),
    tracepoint(2, 'blkin:span_tag', [...id(), field('key', Type.STRING), field('value', Type.STRING)]),
    tracepoint(3, 'blkin:span_number', [...id(), field('key', Type.STRING), field('value', Type.F64)]),
    tracepoint(4, 'blkin:span_remote', [
      ...[...id(), field('service', Type.STRING), field('address', Type.STRING), field('port', Type.U16)],
    ]),
    tracepoint(5, 'blkin:span_end', id()),
    tracepoint(6, 'blkin:span_name', [...id(), field('name', Type.STRING)]),
  ]
}

export interface Ids {
  high?: bigint
  low: bigint
  span: bigint
}

/** Writes span events to a stream, each at its time in nanoseconds. */
export class SpanWriter {
  constructor(readonly to: StreamWriter) {}

  begin(
    time: number,
    { high = 0n, low, span }: Ids,
    name: string,
    more: { parent?: bigint; kind?: KindName; flags?: number; probability?: number } = {},
  ) {
    const { parent = 0n, kind = 'local', flags = 0, probability = 1 } = more
    this.#event(0, time, [
      ...[
        encode('u64', high),
        this.#ids({ low, span }),
        encode('u64', parent),
        encode('u8', kinds.indexOf(kind)),
      ],
      ...[encode('u8', flags), encode('f32', probability), encode('string', name)],
    ])
  }

  annotation(time: number, ids: Ids, value: string) {
    this.#event(1, time, [this.#ids(ids), encode('string', value)])
  }

  tag(time: number, ids: Ids, key: string, value: string) {
    this.#event(2, time, [this.#ids(ids), encode('string', key), encode('string', value)])
  }

  number(time: number, ids: Ids, key: string, value: number) {
    this.#event(3, time, [this.#ids(ids), encode('string', key), encode('f64', value)])
  }

  remote(time: number, ids: Ids, service: string, address: string, port: number) {
    this.#event(4, time, [
      this.#ids(ids),
      encode('string', service),
      encode('string', address),
      encode('u16', port),
    ])
  }

  end(time: number, ids: Ids) {
    this.#event(5, time, [this.#ids(ids)])
  }

  rename(time: number, ids: Ids, name: string) {
    this.#event(6, time, [this.#ids(ids), encode('string', name)])
  }

  #ids({ low, span }: Ids): Buffer {
    return Buffer.concat([encode('u64', low), encode('u64', span)])
  }

  #event(id: number, time: number, parts: Buffer[]): void {
    this.to.event(id, BigInt(time), Buffer.concat(parts))
  }
}
