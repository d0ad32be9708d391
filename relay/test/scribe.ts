// relay/test/scribe.ts: a client of Scribe for tests, and spans of Zipkin's first format to send with it. It checks nothing, so that
// a test can say wrong things too.

import { Caller } from '../src/protocol/caller.js'
import { i64, scribe, scribeTypes, thrift, zipkin } from '../src/protocol/wire.js'
import type { Endpoint } from '../src/spans/span.js'

type Client = InstanceType<typeof scribe.Client>
type Message = string | Buffer

/** One connection; ended by whoever asked for it. */
export async function scribeClient(address: string) {
  const [host, port] = address.split(':') as [string, string]
  const where = { host, port: Number(port) }
  const caller = await Caller.open<Client>(address, where, scribe.Client, { strict: false })
  return {
    /** The name of the result. */
    async log(entries: [category: string, message: Message][]): Promise<string> {
      const messages = entries.map(
        ([category, message]) => new scribeTypes.LogEntry({ category, message: Buffer.from(message) }),
      )
      return scribeTypes.ResultCode[await caller.call((client) => client.Log(messages))]!
    },
    end: () => caller.close(),
  }
}

export interface V1 {
  traceId: bigint
  id: bigint
  [rest: string]: unknown
  annotations?: [value: string, timestamp: number | bigint, host?: Endpoint | undefined][]
  tags?: [key: string, type: keyof typeof zipkin.AnnotationType, value: Buffer, host?: Endpoint | undefined][]
}

/** As a message of the category zipkin. */
export const v1Message = (span: V1): string => v1Struct(span).toString('base64')

export function v1Struct({ traceId, id, annotations = [], tags = [], ...rest }: V1): Buffer {
  const { high, parentId, timestamp, duration, ...others } = rest as Record<string, never>
  const numbers = { trace_id_high: high, parent_id: parentId, timestamp, duration }
  const span = new zipkin.Span({
    ...{ trace_id: i64(traceId), id: i64(id) },
    annotations: annotations.map(
      ([value, timestamp, host]) =>
        new zipkin.Annotation({ timestamp: i64(timestamp), value, ...hostOf(host) }),
    ),
    binary_annotations: tags.map(
      ([key, type, value, host]) =>
        new zipkin.BinaryAnnotation({
          key,
          value,
          annotation_type: zipkin.AnnotationType[type],
          ...hostOf(host),
        }),
    ),
    ...Object.fromEntries(
      Object.entries(numbers).flatMap(([key, value]) => (value === undefined ? [] : [[key, i64(value)]])),
    ),
    ...others,
  } as never)
  let bytes: Buffer | undefined
  const output = new thrift.TFramedTransport(undefined, (frame) => {
    bytes = frame!.subarray(4)
  })
  ;(span as unknown as { write(output: object): void }).write(new thrift.TBinaryProtocol(output, true, true))
  output.flush()
  return bytes!
}

function hostOf(host: Endpoint | undefined) {
  if (host === undefined) return {}
  const { serviceName = '', ipv4, port = 0 } = host
  const numbers = Buffer.from((ipv4 ?? '0.0.0.0').split('.').map(Number))
  return {
    host: new zipkin.Endpoint({
      ipv4: numbers.readInt32BE(),
      port: (port << 16) >> 16,
      service_name: serviceName,
    }),
  }
}
