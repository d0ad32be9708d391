// relay/test/random-trace.ts: traces made at random: tracepoints, values, several streams and processes, and times that tie.
// Readers are tested with them.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { eventBlock, preamble } from '../src/ctf/metadata.js'
import { i64, types } from '../src/protocol/wire.js'
import { field, tracepoint } from './client.js'
import { encode, type FieldType, StreamWriter, type Value } from './ctf-writer.js'
import { folder } from './helpers.js'

const { Type, Shape } = types

const printable = fc.string({ unit: 'grapheme', maxLength: 40 }).map((text) => text.replaceAll('\0', ''))
// babeltrace2 2.0.4 prints the string before in place of an empty one
const filled = fc
  .oneof(printable, fc.string({ unit: 'binary-ascii', maxLength: 20 }))
  .map((text) => `${text.replaceAll('\0', '')}.`)
const label = printable.filter(
  (text) => text.length > 0 && Buffer.byteLength(text) < 200 && !/\p{Cc}/u.test(text),
)

interface Kind {
  wire: number
  type: FieldType
  value: fc.Arbitrary<Value>
  extra?: Record<string, unknown>
}

const integer = (wire: number, type: FieldType, min: bigint, max: bigint): Kind => ({
  ...{ wire, type },
  value: fc
    .oneof(fc.bigInt({ min, max }), fc.constantFrom(min, max, 0n))
    .map((n) => (max > 2n ** 32n ? n : Number(n))),
})

const float = fc.oneof(
  fc.double({ noNaN: true }),
  fc.integer({ min: -2_000_000_000, max: 2_000_000_000 }).map((n) => n / 2 ** 6),
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map((n) => n / 1000),
)

const plainKinds: Kind[] = [
  integer(Type.U8, 'u8', 0n, 255n),
  integer(Type.U16, 'u16', 0n, 65535n),
  integer(Type.U32, 'u32', 0n, 2n ** 32n - 1n),
  integer(Type.U64, 'u64', 0n, 2n ** 64n - 1n),
  integer(Type.I8, 'i8', -128n, 127n),
  integer(Type.I16, 'i16', -32768n, 32767n),
  integer(Type.I32, 'i32', -(2n ** 31n), 2n ** 31n - 1n),
  integer(Type.I64, 'i64', -(2n ** 63n), 2n ** 63n - 1n),
  { wire: Type.F32, type: 'f32', value: float },
  { wire: Type.F64, type: 'f64', value: float },
  { wire: Type.BOOL, type: 'u8', value: fc.constantFrom(0, 1, 1, 0, 7) },
  { wire: Type.STRING, type: 'string', value: filled },
]

const enumKind = fc
  .record({
    container: fc.constantFrom(
      { wire: Type.U8, type: 'u8' as FieldType, min: 0, max: 255 },
      { wire: Type.U16, type: 'u16' as FieldType, min: 0, max: 65535 },
      { wire: Type.I32, type: 'i32' as FieldType, min: -(2 ** 31), max: 2 ** 31 - 1 },
    ),
    names: fc.uniqueArray(label, { minLength: 1, maxLength: 5 }),
    values: fc.array(fc.integer({ min: 0, max: 100 }), { minLength: 5, maxLength: 5 }),
  })
  .map(({ container, names, values }): Kind => {
    const used = values.map((value) => (container.min < 0 && value % 2 ? -value : value))
    return {
      wire: Type.ENUM,
      type: container.type,
      value: fc.oneof(fc.constantFrom(...used), fc.integer({ min: container.min, max: container.max })),
      extra: {
        container: container.wire,
        labels: names.map((name, i) => new types.Label({ name, value: i64(used[i]!) })),
      },
    }
  })

const scalarKind: fc.Arbitrary<Kind> = fc.oneof(fc.constantFrom(...plainKinds), enumKind)

const anyKind: fc.Arbitrary<Kind> = fc.oneof(
  scalarKind,
  fc.constant<Kind>({
    ...{ wire: Type.BYTES, type: 'bytes' },
    value: fc.uint8Array({ maxLength: 12 }).map((bytes) => Buffer.from(bytes)),
  }),
  fc.tuple(scalarKind, fc.integer({ min: 1, max: 5 })).map(([kind, length]) => ({
    wire: kind.wire,
    type: { array: kind.type },
    value: fc.array(kind.value, { minLength: length, maxLength: length }),
    extra: { ...kind.extra, shape: Shape.ARRAY, length },
  })),
  scalarKind.map((kind) => ({
    wire: kind.wire,
    type: { sequence: kind.type },
    value: fc.array(kind.value, { maxLength: 5 }),
    extra: { ...kind.extra, shape: Shape.SEQUENCE },
  })),
)

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,12}$/)
const fieldsOf = fc.uniqueArray(fc.tuple(name, anyKind), {
  maxLength: 5,
  selector: ([text]) => text.replace(/^_+/, ''),
})

/** Contexts are scalars; some have the names that are printed in hexadecimal. */
const contextsOf = fc.uniqueArray(
  fc.oneof(
    fc.tuple(name, scalarKind),
    fc.tuple(
      fc.constantFrom('span', 'trace_high', 'trace_low'),
      fc.constantFrom(plainKinds[2]!, plainKinds[3]!),
    ),
  ),
  { maxLength: 4, selector: ([text]) => text.replace(/^_+/, '') },
)

const process = fc.record({
  uuid: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes)),
  hostname: label,
  program: label,
  contexts: contextsOf,
  tracepoints: fc.array(fieldsOf, { minLength: 1, maxLength: 40 }),
  streams: fc.uniqueArray(fc.constantFrom(0, 1, 7, 65536, 65537), { minLength: 1, maxLength: 3 }),
})

export const processes = fc.uniqueArray(process, {
  minLength: 1,
  maxLength: 3,
  selector: ({ uuid }) => uuid.toString('hex'),
})

type Gen = <T>(arbitrary: () => fc.Arbitrary<T>) => T

/** Writes their traces below a folder; returns it. */
export function writeTraces(
  made: typeof processes extends fc.Arbitrary<infer T> ? T : never,
  gen: Gen,
): string {
  const root = folder()
  for (const [i, { uuid, hostname, program, contexts, tracepoints, streams }] of made.entries()) {
    const path = join(root, `trace-${i}`)
    mkdirSync(path)
    const wire = (fields: [string, Kind][]) =>
      fields.map(([text, kind]) => field(text, kind.wire, kind.extra))
    const declared = tracepoints.map((fields, id) => {
      const made = wire(fields)
      return tracepoint(id, `p:e${id}`, made, id % 15)
    })
    const common = { uuid, hostname, program, pid: 4711, bootId: Buffer.alloc(16, 7), synced: false }
    const session = { startedAt: 1n, session: 'default', contexts: wire(contexts) }
    const head = preamble({ ...common, ...session, clockOffset: 1_700_000_000_123_456_789n })
    writeFileSync(join(path, 'metadata'), head + declared.map(eventBlock).join(''))
    for (const stream of streams) {
      const writer = new StreamWriter(uuid, stream)
      let time = 1000n
      writer.start(time)
      const steps = gen(() => fc.array(fc.nat({ max: 9 }), { maxLength: 60 }))
      for (const step of steps) {
        if (step < 8) time += step < 3 ? 0n : step === 7 ? 200_000_000n : BigInt(step) * 10n
        else writer.take(writer.lost + (step === 9 ? 3n : 0n))
        const id = gen(() => fc.nat({ max: tracepoints.length - 1 }))
        const values = [...contexts, ...tracepoints[id]!].map(([, kind]) =>
          encode(
            kind.type,
            gen(() => kind.value),
          ),
        )
        writer.event(id, time, Buffer.concat(values))
      }
      writer.take()
      writeFileSync(join(path, `events_${stream}`), writer.all())
    }
  }
  return root
}
