// lib/trace/propagation.ts: the formats of headers by name, and the door for what comes in. Nothing here throws.
import { readB3, readB3Multi, writeB3, writeB3Multi } from './b3.js'
import { counts, refused } from './counts.js'
import type { Format } from './span.js'
import { readTraceparent, writeTraceparent } from './traceparent.js'
import type { WireContext } from './wire.js'

interface Codec {
  read(carrier: object): WireContext | undefined
  write(context: WireContext, carrier: object): void
  /** Whether the server's side of a call has the client's span id, as in Zipkin. */
  readonly shared: boolean
}

const codecs: Record<Format, Codec> = {
  traceparent: { read: readTraceparent, write: writeTraceparent, shared: false },
  b3: { read: readB3, write: writeB3, shared: true },
  b3multi: { read: readB3Multi, write: writeB3Multi, shared: true },
}

export const formats = Object.keys(codecs) as readonly Format[]

/** Where one of these is, somebody has put a context there. */
export const contextHeaders: readonly string[] = [
  'traceparent',
  'b3',
  'x-b3-traceid',
  'x-b3-sampled',
  'x-b3-flags',
]

function codecOf(carrier: unknown, format: unknown): Codec | undefined {
  const isObject = typeof carrier === 'object' && carrier !== null
  if (isObject && typeof format === 'string' && Object.hasOwn(codecs, format)) return codecs[format as Format]
  counts[refused]!++
  return undefined
}

export function injectInto<C>(context: WireContext | undefined, carrier: C, format: unknown): C {
  try {
    const codec = codecOf(carrier, format)
    if (context !== undefined) codec?.write(context, carrier as object)
  } catch {
    counts[refused]!++ // a frozen object, a setter that throws
  }
  return carrier
}

/** The context in the headers; undefined where there is none that is sound. */
export function extractFrom(carrier: unknown, format: unknown): WireContext | undefined {
  try {
    return codecOf(carrier, format)?.read(carrier as object)
  } catch {
    counts[refused]!++
    return undefined
  }
}

/** Whether a server shares its span with who sent it in this format. */
export const sharesSpan = (format: Format): boolean => codecs[format].shared
