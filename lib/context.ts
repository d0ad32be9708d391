// lib/context.ts: what is told of the moment of an event beside its fields, as far as JavaScript knows it. A session or a
// filter asks for contexts by name; gather() puts those into the memory shared with the addon (a ContextBlock of
// native/event/context.hpp) before a gated event is staged, where filters read them. While nobody asks, nothing here runs.
import { executionAsyncId } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'
import { joined, type Wide } from './filter/integers.js'
import { asStored } from './filter/texts.js'
import { native } from './native.js'
import { type FieldType, Shape, Type } from './types.js'

const slots = { thread: 1, cpu: 2, span: 3, traceHigh: 4, traceLow: 5, elu: 6, asyncId: 7 } as const
/** Those that every process has, by the names that sessions ask for. */
export const builtInContexts = [
  'tid', 'thread', 'cpu', 'span', 'trace', 'trace_high', 'trace_low', 'elu', 'async_id',
] as const // biome-ignore format: a table

const slotCount = 32
const textBytes = 64

const block = native === undefined ? new ArrayBuffer(slotCount * (8 + textBytes)) : native.contextBlock()
const numbers = new DataView(block, 0, slotCount * 8)
const texts = Array.from(
  { length: slotCount },
  (_, slot) => new Uint8Array(block, slotCount * 8 + slot * textBytes, textBytes),
)
const encoder = new TextEncoder()
/** The texts as strings, of the slots that are filled here. */
const strings: string[] = texts.map(() => '')
strings[slots.thread] = decoded(texts[slots.thread] as Uint8Array)

function decoded(text: Uint8Array): string {
  return new TextDecoder().decode(text.subarray(0, text.indexOf(0)))
}

/** `tid` and `thread`, a bit each: in the block since the thread is there. */
export const constantContexts = 0b11

/** By slot: puts the value of this moment into the block. May run the program's code, and throw. */
const sources: (() => void)[] = []

const clear = (slot: number): void => {
  numbers.setBigUint64(slot * 8, 0n, true)
  ;(texts[slot] as Uint8Array)[0] = 0
  strings[slot] = ''
}

let gathering = false

/** Puts these into the block, a bit each slot. Never throws; a context whose source does is 0, or an empty text. */
export function gather(wanted: number): void {
  let left = wanted
  if (left === 0 || gathering) return
  gathering = true // a source that emits does not start this again
  while (left !== 0) {
    const slot = 31 - Math.clz32(left & -left)
    left &= left - 1
    try {
      sources[slot]?.()
    } catch {
      clear(slot)
    }
  }
  gathering = false
}

/** What the block holds, as filters read it. */
export const contextValues = {
  signed: (slot: number): Wide =>
    joined(numbers.getInt32(slot * 8 + 4, true), numbers.getInt32(slot * 8, true)),
  unsigned: (slot: number): Wide =>
    joined(numbers.getUint32(slot * 8 + 4, true), numbers.getInt32(slot * 8, true)),
  float: (slot: number): number => numbers.getFloat64(slot * 8, true),
  text: (slot: number): string => strings[slot] as string,
}

// Only where a filter asks for it: what a session's events carry is noted when they are written.
sources[slots.cpu] = () => numbers.setUint32(slots.cpu * 8, native!.cpu(), true)

// The event loop's use since it was last looked at, which is worked out at most a hundred times a second: it costs
// a microsecond, and over a shorter time it says nothing.
const eluEveryMs = 10
let eluBefore = performance.eventLoopUtilization()
let eluAt = 0
sources[slots.elu] = () => {
  const now = performance.now()
  if (now - eluAt < eluEveryMs) return
  const sinceStart = performance.eventLoopUtilization()
  numbers.setFloat64(slots.elu * 8, performance.eventLoopUtilization(sinceStart, eluBefore).utilization, true)
  eluBefore = sinceStart
  eluAt = now
}
sources[slots.asyncId] = () => numbers.setBigInt64(slots.asyncId * 8, BigInt(executionAsyncId()), true)

export interface SpanContext {
  /** 16 or 32 hex digits. */
  readonly traceId: string
  /** 16 hex digits. */
  readonly spanId: string
}

/**
 * Says how to learn the span that this thread is in, for the contexts `span` and `trace`, which join ordinary events to
 * causal traces, where it is not a span of `trace`. With OpenTelemetry: `currentSpan(() => trace.getActiveSpan()?.spanContext())`.
 *
 * @param read called before an event that is wanted with these contexts; undefined: in no span
 */
export function currentSpan(read: () => SpanContext | undefined): void {
  if (typeof read !== 'function')
    throw new TypeError(`currentSpan: given ${typeof read}; expected a function`)
  const half = (slot: number, hex: string) =>
    numbers.setBigUint64(slot * 8, hex === '' ? 0n : BigInt(`0x${hex}`), true)
  sources[slots.span] = () => half(slots.span, read()?.spanId ?? '')
  sources[slots.traceLow] = () => half(slots.traceLow, (read()?.traceId ?? '').slice(-16))
  sources[slots.traceHigh] = () => half(slots.traceHigh, (read()?.traceId ?? '').slice(0, -16))
}

/** A span's ids as int32 halves: lib/trace has them so. */
export interface SpanWords {
  readonly traits: { readonly highHigh: number; readonly highLow: number }
  readonly traceHigh: number
  readonly traceLow: number
  readonly spanHigh: number
  readonly spanLow: number
}

/** What currentSpan() is at first: blkin's own spans. */
export function ownSpans(read: () => SpanWords | undefined): void {
  const half = (slot: number, high: number, low: number) => {
    numbers.setInt32(slot * 8, low, true)
    numbers.setInt32(slot * 8 + 4, high, true)
  }
  sources[slots.span] = () => {
    const span = read()
    half(slots.span, span?.spanHigh ?? 0, span?.spanLow ?? 0)
  }
  sources[slots.traceLow] = () => {
    const span = read()
    half(slots.traceLow, span?.traceHigh ?? 0, span?.traceLow ?? 0)
  }
  sources[slots.traceHigh] = () => {
    const traits = read()?.traits
    half(slots.traceHigh, traits?.highHigh ?? 0, traits?.highLow ?? 0)
  }
}

/** What stands in the block for a value of the type; throws for what is none. */
function putter(type: number, slot: number): (value: unknown) => void {
  const at = slot * 8
  switch (type) {
    case Type.string:
      return (value) => {
        const text = texts[slot] as Uint8Array
        const stored = asStored(String(value))
        const { read, written } = encoder.encodeInto(stored, text.subarray(0, textBytes - 1))
        text[written] = 0
        strings[slot] = stored.slice(0, read)
      }
    case Type.bool:
      return (value) => numbers.setBigUint64(at, value ? 1n : 0n, true)
    case Type.f32:
    case Type.f64:
      return (value) => numbers.setFloat64(at, Number(value), true)
    default:
      return (value) =>
        numbers.setBigInt64(at, typeof value === 'bigint' ? value : BigInt(Math.trunc(Number(value))), true)
  }
}

/**
 * Registers a context that the program provides: sessions add it to their events by name, filters ask for `$ctx.NAME`.
 * To be called in every thread whose events shall have it; the same name again replaces its reader.
 *
 * @param name a letter, then letters, digits and _
 * @param type a number type, `t.bool` or `t.string` (63 bytes of it)
 * @param read called before each event that is wanted with this context; what it throws is not seen, and makes it 0 or ''
 * @throws TypeError (ERR_BLKIN_CONTEXT) for a name or a type that cannot be
 */
export function context<V>(name: string, type: FieldType<V>, read: () => V): void {
  const wrong = (what: string) =>
    Object.assign(new TypeError(`context ${JSON.stringify(name)}: ${what}`), { code: 'ERR_BLKIN_CONTEXT' })
  if (typeof name !== 'string' || !/^[A-Za-z][A-Za-z0-9_]{0,62}$/.test(name))
    throw wrong('expected a letter, then up to 62 letters, digits and _')
  if (typeof read !== 'function') throw wrong(`given ${typeof read}; expected a function that reads it`)
  const kind = type?.type
  if (
    !Object.values(Type).includes(kind) ||
    type.shape !== Shape.scalar ||
    kind === Type.enum ||
    kind === Type.bytes
  )
    throw wrong('expected a type of one number, t.bool or t.string')
  if (native === undefined) return
  const slot = native.addContext(name, kind)
  if (typeof slot === 'string') throw wrong(slot)
  const put = putter(kind, slot)
  sources[slot] = () => put(read())
}
