// relay/test/odd-spans.ts: posts with one thing in them that is odd, as data: what a span has beside its ids. What a real
// Zipkin server makes of each is in odd-spans.jsonl; odd-spans.test.ts says where we do something else, and why.

import { type V1, v1Struct } from './scribe.js'

/** JSON of version 2: in `[{"traceId":...,"id":"1", HERE }]`. */
const v2Fields: Record<string, string[]> = {
  'numbers as tags': [
    '"tags":{"n":793024884742246336}',
    '"tags":{"n":1.10}',
    '"tags":{"n":1E400}',
    '"tags":{"n":-0}',
    '"tags":{"n":1e2}',
    '"tags":{"n":0.1000000000000000055511151231257827}',
    '"tags":{"n":42}',
    '"name":793024884742246336',
    '"localEndpoint":{"serviceName":1.10}',
    '"annotations":[{"timestamp":1,"value":1.10}]',
    '"tags":{"793024884742246336":"1","b":1.10,"a":"x 1.10 \\" 2E5, 793024884742246336"}',
    '"parentId":12345678901234567890',
    '"parentId":1234567890123456',
    '"parentId":1e5',
    '"parentId":1.5',
  ],
  'other kinds of values as tags': [
    '"tags":{"a":true}',
    '"tags":{"a":null}',
    '"tags":{"a":{}}',
    '"tags":{"a":[]}',
    '"tags":[]',
    '"tags":null',
    '"tags":{}',
    '"tags":{"":""}',
    '"tags":{"__proto__":"a","constructor":"b"}',
    '"tags":{"b":"1","a":"2","10":"3","9":"4"}',
    '"tags":{"\\ud800":"lone","é":"2","z":"3","😀":"4","\uffee":"5"}',
    '"tags":{"a":"1","a":"2"}',
  ],
  times: [
    '"timestamp":0',
    '"timestamp":-1',
    '"timestamp":-9007199254740993',
    '"timestamp":9007199254740991',
    '"timestamp":9007199254740992',
    '"timestamp":9007199254740993',
    '"timestamp":9223372036854775807',
    '"timestamp":9223372036854775808',
    '"timestamp":1795000000000000000',
    '"timestamp":1.5',
    '"timestamp":1.0',
    '"timestamp":1e3',
    '"timestamp":1.5e3',
    '"timestamp":"17"',
    '"timestamp":" 17"',
    '"timestamp":"0x11"',
    '"timestamp":"1e3"',
    '"timestamp":"1.5"',
    '"timestamp":""',
    '"timestamp":"9007199254740993"',
    '"timestamp":null',
    '"timestamp":true',
    '"timestamp":"x"',
    '"timestamp":{}',
    '"duration":0',
    '"duration":-1',
    '"duration":1.5',
    '"duration":2.0',
    '"duration":"5"',
    '"duration":9007199254740993',
    '"duration":18446744073709551615',
    '"duration":null',
    '"timestamp":1795000000000000000,"duration":9223372036854775807',
    '"annotations":[{"timestamp":0,"value":"a"}]',
    '"annotations":[{"timestamp":-5,"value":"a"}]',
    '"annotations":[{"timestamp":1795000000000000123,"value":"a"},{"timestamp":1795000000000000122,"value":"b"}]',
    '"annotations":[{"timestamp":1.5,"value":"a"}]',
    '"annotations":[{"timestamp":"7","value":"a"}]',
    '"annotations":[{"value":"a"}]',
    '"annotations":[{"timestamp":5}]',
    '"annotations":[{"timestamp":null,"value":"a"}]',
    '"annotations":[{"timestamp":5,"value":null}]',
    '"annotations":[{"timestamp":5,"value":""}]',
    '"annotations":[null]',
    '"annotations":[]',
    '"annotations":null',
    '"annotations":{}',
    '"annotations":[{"timestamp":5,"value":true}]',
    '"annotations":[{"timestamp":5,"value":"a","endpoint":{"x":1}}]',
  ],
  ids: [
    '"parentId":""',
    '"parentId":"0"',
    '"parentId":"ABC"',
    '"parentId":"xyz"',
    '"parentId":"12345678901234567"',
    '"parentId":"00000000000000001"',
    '"parentId":null',
    '"parentId":true',
    '"parentId":"1"',
    '"parentId":" 2"',
    '"id":"2"',
    '"id":"DEF"',
    '"id":""',
    '"id":null',
    '"id":"00000000000000002"',
    '"id":"0"',
    '"id":17',
  ],
  endpoints: [
    '"localEndpoint":{"serviceName":"a","port":-1}',
    '"localEndpoint":{"serviceName":"a","port":65535}',
    '"localEndpoint":{"serviceName":"a","port":65536}',
    '"localEndpoint":{"serviceName":"a","port":0}',
    '"localEndpoint":{"serviceName":"a","port":null}',
    '"localEndpoint":{"serviceName":"a","port":"80"}',
    '"localEndpoint":{"serviceName":"a","port":"x"}',
    '"localEndpoint":{"serviceName":"a","port":""}',
    '"localEndpoint":{"serviceName":"a","port":80.0}',
    '"localEndpoint":{"serviceName":"a","port":80.5}',
    '"localEndpoint":{"serviceName":"a","port":4294967376}',
    '"localEndpoint":{"serviceName":"a","port":true}',
    '"localEndpoint":{"serviceName":""}',
    '"localEndpoint":{"serviceName":null}',
    '"localEndpoint":{"serviceName":true}',
    '"localEndpoint":{}',
    '"localEndpoint":[]',
    '"localEndpoint":"a"',
    '"localEndpoint":{"extra":1}',
    '"localEndpoint":{"serviceName":"ÀB İ ẞ"}',
    '"remoteEndpoint":{"ipv4":"1.2.3.4"}',
    '"remoteEndpoint":{"ipv4":"1.2.3"}',
    '"remoteEndpoint":{"ipv4":"01.2.3.4"}',
    '"remoteEndpoint":{"ipv4":"1.2.3.256"}',
    '"remoteEndpoint":{"ipv4":"localhost"}',
    '"remoteEndpoint":{"ipv4":""}',
    '"remoteEndpoint":{"ipv4":5}',
    '"remoteEndpoint":{"ipv4":"0.0.0.0"}',
    '"remoteEndpoint":{"ipv6":"::1"}',
    '"remoteEndpoint":{"ipv6":"::"}',
    '"remoteEndpoint":{"ipv6":"::ffff:1.2.3.4"}',
    '"remoteEndpoint":{"ipv6":"::1.2.3.4"}',
    '"remoteEndpoint":{"ipv6":"::102:304"}',
    '"remoteEndpoint":{"ipv6":"0:0:0:0:0:ffff:102:304"}',
    '"remoteEndpoint":{"ipv6":"2001:DB8:0:0:1:0:0:C"}',
    '"remoteEndpoint":{"ipv6":"2001:db8:0:1:1:1:1:1"}',
    '"remoteEndpoint":{"ipv6":"fe80::1%eth0"}',
    '"remoteEndpoint":{"ipv6":"[::1]"}',
    '"remoteEndpoint":{"ipv6":"1:2"}',
    '"remoteEndpoint":{"ipv6":"::ffff:1.2.3.4","ipv4":"5.6.7.8"}',
    '"remoteEndpoint":{"ipv4":"5.6.7.8","ipv6":"2001:db8::c"}',
    '"remoteEndpoint":null',
  ],
  kinds: [
    '"kind":"client"',
    '"kind":"INTERNAL"',
    '"kind":""',
    '"kind":null',
    '"kind":1',
    '"kind":"CLIENT","shared":true',
    '"kind":"SERVER","shared":true',
    '"kind":"PRODUCER","shared":true',
    '"shared":true',
    '"shared":false',
    '"shared":null',
    '"shared":"true"',
    '"shared":1',
    '"debug":"TRUE"',
    '"debug":true',
    '"debug":"yes"',
  ],
  'names and what is unknown': [
    '"name":""',
    '"name":null',
    '"name":true',
    '"name":{}',
    '"name":"GET /ÀÉ İ"',
    '"name":"a\\u0000b"',
    '"extra":{"a":[1,{"b":null}],"c":1E400}',
    '"name":"a","name":"b"',
    '"kind":"CLIENT","kind":null',
    '"__proto__":{"name":"x"}',
    '"extra":NaN',
    '"name":unquoted',
    "'name':'single'",
    '"name":"a",',
    '"name":"tab\there"',
    '"tags":{"a":01}',
    '"tags":{"a":.5}',
    '"tags":{"a":1.}',
    '"tags":{"a":+1}',
  ],
}

/** JSON of version 1. */
const v1Fields: Record<string, string[]> = {
  'version 1': [
    '"name":"GET"',
    '"name":"GET","timestamp":1000,"duration":5',
    '"annotations":[{"timestamp":1000,"value":"sr","endpoint":{"serviceName":"a","ipv4":"1.2.3.4","port":80}},{"timestamp":1010,"value":"ss","endpoint":{"serviceName":"a","ipv4":"1.2.3.4","port":80}}]',
    '"annotations":[{"timestamp":1000,"value":"cs","endpoint":{"serviceName":"a"}},{"timestamp":1003,"value":"sr","endpoint":{"serviceName":"b"}},{"timestamp":1008,"value":"ss","endpoint":{"serviceName":"b"}},{"timestamp":1010,"value":"cr","endpoint":{"serviceName":"a"}}]',
    '"annotations":[{"timestamp":1000,"value":"cs"}]',
    '"annotations":[{"timestamp":1000,"value":"cs","endpoint":null}]',
    '"annotations":[{"timestamp":1000,"value":"cs","endpoint":{}}]',
    '"annotations":[{"timestamp":1000}]',
    '"annotations":[{"value":"a"}]',
    '"annotations":[{"timestamp":0,"value":"a"}]',
    '"annotations":[{"timestamp":null,"value":"a"}]',
    '"annotations":[{"timestamp":9007199254740993,"value":"a"}]',
    '"annotations":null',
    '"timestamp":9007199254740993,"duration":9007199254740993',
    '"timestamp":-1,"duration":-1',
    '"timestamp":1000,"duration":0',
    '"binaryAnnotations":[{"key":"a","value":"b"}]',
    '"binaryAnnotations":[{"key":"a","value":5}]',
    '"binaryAnnotations":[{"key":"a","value":true}]',
    '"binaryAnnotations":[{"key":"a","value":true,"endpoint":{"serviceName":"x"}}]',
    '"binaryAnnotations":[{"key":"sa","value":true,"endpoint":{"serviceName":"x","port":5}}]',
    '"binaryAnnotations":[{"key":"ca","value":true,"endpoint":{"serviceName":"x"}}]',
    '"binaryAnnotations":[{"key":"sa","value":false,"endpoint":{"serviceName":"x"}}]',
    '"binaryAnnotations":[{"key":"sa","value":"1","endpoint":{"serviceName":"x"}}]',
    '"binaryAnnotations":[{"key":"sa","value":true}]',
    '"binaryAnnotations":[{"key":"sa","value":true,"endpoint":{}}]',
    '"binaryAnnotations":[{"key":"lc","value":"","endpoint":{"serviceName":"x"}}]',
    '"binaryAnnotations":[{"key":"lc","value":"local","endpoint":{"serviceName":"x"}}]',
    '"binaryAnnotations":[{"key":"a","value":null}]',
    '"binaryAnnotations":[{"key":"a"}]',
    '"binaryAnnotations":[{"value":"a"}]',
    '"binaryAnnotations":[{"key":null,"value":"a"}]',
    '"binaryAnnotations":[{"key":5,"value":"a","type":"I64"}]',
    '"binaryAnnotations":[{"key":"a","value":"17","type":"I64"}]',
    '"binaryAnnotations":[{"key":"a","value":"AQI=","type":"BYTES"}]',
    '"binaryAnnotations":[{"key":"a","value":"1"},{"key":"a","value":"2"}]',
    '"binaryAnnotations":[{"key":"a","value":"1","endpoint":{"serviceName":"x","port":-1}}]',
    '"binaryAnnotations":null',
    '"binaryAnnotations":{}',
    '"parentId":"0"',
    '"parentId":"1"',
    '"parentId":"ABC"',
    '"parentId":"12345678901234567"',
    '"id":"0"',
    '"id":"00000000000000002"',
    '"debug":true',
    '"debug":null',
    '"name":null',
    '"extra":{"a":[1]}',
    '"traceId":"0"',
    '"traceId":"xyz"',
    '"binaryAnnotations":[{"key":"sa","value":true,"endpoint":{"serviceName":"x"}},{"key":"ca","value":true,"endpoint":{"serviceName":"y"}}]',
    '"annotations":[{"timestamp":1000,"value":"ms","endpoint":{"serviceName":"a"}}],"binaryAnnotations":[{"key":"ma","value":true,"endpoint":{"serviceName":"kafka"}}]',
    '"annotations":[{"timestamp":1000,"value":"foo","endpoint":{"serviceName":"a"}}],"tags":{"a":"b"}',
  ],
}

/** Version 1 in thrift. */
const thriftSpans: Record<string, Partial<V1>> = {
  'nothing but ids': {},
  'times beyond 2^53': { timestamp: 1795000000000000000n, duration: 2n ** 63n - 1n },
  'times below 0': { timestamp: -5n, duration: -5n },
  'an annotation at 0': { annotations: [['a', 0]] },
  'an annotation in nanoseconds': { annotations: [['a', 1795000000000000000n]] },
  'a call between two services': {
    annotations: [
      ['cs', 1000, { serviceName: 'a' }],
      ['sr', 1003, { serviceName: 'b', ipv4: '10.0.0.1', port: 65535 }],
      ['ss', 1008, { serviceName: 'b', ipv4: '10.0.0.1', port: 65535 }],
      ['cr', 1010, { serviceName: 'a' }],
    ],
  },
  'text of the other side': { tags: [['sa', 'STRING', Buffer.from('1'), { serviceName: 'b' }]] },
  'text of the other side, which is not said': { tags: [['ca', 'STRING', Buffer.from('1')]] },
  'an address of the other side': { tags: [['ma', 'BOOL', Buffer.of(1), { serviceName: 'b', port: 5 }]] },
  'an address that is not true': { tags: [['sa', 'BOOL', Buffer.of(0), { serviceName: 'b' }]] },
  'tags out of order': {
    tags: [
      ['b', 'STRING', Buffer.from('1')],
      ['a', 'STRING', Buffer.from('2')],
      ['b', 'STRING', Buffer.from('3')],
    ],
  },
  'a number as a tag': { tags: [['n', 'I64', Buffer.from('0b016b0f9b3e2000', 'hex')]] },
  'bytes as a tag': { tags: [['n', 'BYTES', Buffer.of(1, 2)]] },
  'text that is not UTF-8': { tags: [['n', 'STRING', Buffer.of(0x61, 0xff)]] },
  'a name in capitals': { name: 'GET' },
  debug: { debug: true },
  'a parent of 0': { parentId: 0n },
}

const field = (number: number, wire: number, ...bytes: number[]): number[] => [number * 8 + wire, ...bytes]
const long = (value: bigint): number[] => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64LE(BigInt.asIntN(64, value))
  return [...bytes]
}
const bytes = (number: number, ...content: number[]): number[] => field(number, 2, content.length, ...content)
const text = (number: number, content: string): number[] => bytes(number, ...Buffer.from(content))
const MINUS_ONE = [...Array(9).fill(0xff), 1]

/** Protobuf, of one span. */
const protoSpans: Record<string, number[]> = {
  'nothing but ids': [],
  'a time in nanoseconds': field(6, 1, ...long(1795000000000000000n)),
  'a time above 2^53': field(6, 1, ...long(2n ** 53n + 1n)),
  'a time below 0': field(6, 1, ...long(-5n)),
  'a time of all ones': field(6, 1, ...long(2n ** 64n - 1n)),
  'a time as a varint': field(6, 0, 17),
  'a duration of 2^63 - 1': field(7, 0, ...Array(8).fill(0xff), 0x7f),
  'a duration below 0': field(7, 0, ...MINUS_ONE),
  'a kind that is none': field(4, 0, 9),
  'a kind': field(4, 0, 2),
  'a port of 65535': bytes(8, ...text(1, 'a'), ...field(4, 0, 0xff, 0xff, 0x03)),
  'a port of 65536': bytes(8, ...text(1, 'a'), ...field(4, 0, 0x80, 0x80, 0x04)),
  'a port of -1': bytes(8, ...text(1, 'a'), ...field(4, 0, ...MINUS_ONE)),
  'an address of three bytes': bytes(8, ...text(1, 'a'), ...bytes(2, 1, 2, 3)),
  'an address of version 4 as version 6': bytes(9, ...bytes(3, ...Array(10).fill(0), 0xff, 0xff, 1, 2, 3, 4)),
  'an annotation without a time': bytes(10, ...text(2, 'a')),
  'an annotation without a text': bytes(10, ...field(1, 1, ...long(5n))),
  'an annotation with nothing': bytes(10),
  'an annotation': bytes(10, ...field(1, 1, ...long(5n)), ...text(2, 'a')),
  'tags out of order': [
    ...bytes(11, ...text(1, 'b'), ...text(2, '1')),
    ...bytes(11, ...text(1, 'a'), ...text(2, '2')),
    ...bytes(11, ...text(1, 'b'), ...text(2, '3')),
  ],
  'a tag without a value': bytes(11, ...text(1, 'a')),
  'a tag without a key': bytes(11, ...text(2, 'a')),
  'a name that is a number': field(5, 0, 7),
  'fields that are unknown': [
    ...text(77 - 64, 'a'),
    ...field(14, 5, 1, 2, 3, 4),
    ...field(15, 1, ...long(1n)),
  ],
  'debug and shared': [...field(12, 0, 1), ...field(13, 0, 1)],
  'text that is not UTF-8': bytes(5, 0x61, 0xff),
  'an id of 4 bytes': bytes(3, 1, 2, 3, 4),
  'a parent of zeros': bytes(2, ...Array(8).fill(0)),
}

export interface OddPost {
  name: string
  path: string
  type: string
  body: Buffer
  traceId: string
}

export const oddPosts: OddPost[] = [
  ...jsonPosts('/api/v2/spans', '2', v2Fields),
  ...jsonPosts('/api/v1/spans', '1', v1Fields),
  ...Object.entries(thriftSpans).map(([name, span], i) => {
    const traceId = `a${String(i).padStart(15, '0')}`
    const struct = v1Struct({ traceId: BigInt.asIntN(64, BigInt(`0x${traceId}`)), id: 1n, ...span })
    const body = Buffer.concat([Buffer.of(12, 0, 0, 0, 1), struct])
    return { name: `thrift: ${name}`, path: '/api/v1/spans', type: 'application/x-thrift', body, traceId }
  }),
  ...Object.entries(protoSpans).map(([name, rest], i) => {
    const traceId = `b${String(i).padStart(15, '0')}`
    const span = [...bytes(1, ...Buffer.from(traceId, 'hex')), ...bytes(3, 0, 0, 0, 0, 0, 0, 0, 1), ...rest]
    const body = Buffer.from(bytes(1, ...span))
    return { name: `protobuf: ${name}`, path: '/api/v2/spans', type: 'application/x-protobuf', body, traceId }
  }),
]

function jsonPosts(path: string, digit: string, groups: Record<string, string[]>): OddPost[] {
  return Object.entries(groups).flatMap(([group, fields], g) =>
    fields.map((field, i) => {
      const traceId = `${digit}${String(g).padStart(3, '0')}${String(i).padStart(12, '0')}`
      const body = Buffer.from(`[{"traceId":"${traceId}","id":"1",${field}}]`)
      return { name: `${group}: ${field}`, path, type: 'application/json', body, traceId }
    }),
  )
}
