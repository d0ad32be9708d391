// relay/src/ctf/metadata.ts: the TSDL text of a trace: a preamble once, then a block for each tracepoint.
// trace.ts writes what this makes; tsdl.ts reads it back and holds us to it. Pure: no I/O, no state.
// The strings that get here were checked at the door: no control characters in any of them.

import type { Process } from '../protocol/check/hello.js'
import { big, type Field, type Tracepoint, types } from '../protocol/wire.js'

/** The part that is the same in every trace: a reader that finds it knows the layout of each packet's header. */
export const LAYOUT = `typealias integer { size = 8; align = 8; signed = false; } := uint8_t;
typealias integer { size = 16; align = 8; signed = false; } := uint16_t;
typealias integer { size = 32; align = 8; signed = false; } := uint32_t;
typealias integer { size = 64; align = 8; signed = false; } := uint64_t;
typealias integer { size = 8; align = 8; signed = true; } := int8_t;
typealias integer { size = 16; align = 8; signed = true; } := int16_t;
typealias integer { size = 32; align = 8; signed = true; } := int32_t;
typealias integer { size = 64; align = 8; signed = true; } := int64_t;
typealias integer { size = 8; align = 8; signed = false; base = 16; } := hex8_t;
typealias integer { size = 64; align = 8; signed = false; base = 16; } := hex64_t;
typealias integer { size = 5; align = 1; signed = false; } := uint5_t;
typealias floating_point { exp_dig = 8; mant_dig = 24; align = 8; } := float32_t;
typealias floating_point { exp_dig = 11; mant_dig = 53; align = 8; } := float64_t;
typealias integer { size = 27; align = 1; signed = false; map = clock.monotonic.value; } := time27_t;
typealias integer { size = 64; align = 8; signed = false; map = clock.monotonic.value; } := time64_t;

struct event_header {
	enum : uint5_t { compact = 0 ... 30, extended = 31 } id;
	variant <id> {
		struct { time27_t timestamp; } compact;
		struct { uint32_t id; time64_t timestamp; } extended;
	} v;
} align(8);

stream {
	id = 0;
	event.header := struct event_header;
	packet.context := struct {
		time64_t timestamp_begin;
		time64_t timestamp_end;
		uint64_t content_size;
		uint64_t packet_size;
		uint64_t packet_seq_num;
		uint64_t events_discarded;
		uint32_t cpu_id;
	};
`

export function preamble(process: Process): string {
  const second = 1_000_000_000n
  return `/* CTF 1.8 */

trace {
	major = 1;
	minor = 8;
	uuid = "${dashed(process.uuid)}";
	byte_order = le;
	packet.header := struct {
		integer { size = 32; align = 8; signed = false; } magic;
		integer { size = 8; align = 8; signed = false; } uuid[16];
		integer { size = 32; align = 8; signed = false; } stream_id;
		integer { size = 64; align = 8; signed = false; } stream_instance_id;
	};
};

env {
	hostname = ${quoted(process.hostname)};
	domain = "ust";
	tracer_name = "blkin";
	tracer_major = 0;
	tracer_minor = 1;
	procname = ${quoted(process.program)};
	vpid = ${process.pid};
	blkin_session = ${quoted(process.session)};
};

clock {
	name = "monotonic";
	uuid = "${dashed(process.bootId)}";
	description = "CLOCK_MONOTONIC";
	freq = ${second};
	offset_s = ${process.clockOffset / second};
	offset = ${process.clockOffset % second};
	absolute = TRUE;
};

${LAYOUT}${contextText(process.contexts)}};
`
}

/** What the stream's block says of contexts; where there are none, nothing. */
export function contextText(contexts: Field[]): string {
  if (contexts.length === 0) return ''
  return `\tevent.context := struct {\n${contexts.map((field) => `${contextMember(field)}\n`).join('')}\t};\n`
}

/** Ids that people compare with those of other tools, which write them in hexadecimal. */
const IDS = new Set(['span', 'trace_high', 'trace_low'])

export function isId({ type, name }: Field): boolean {
  return type === types.Type.U64 && IDS.has(name)
}

/** A field of a tracepoint: those that spans are made of have ids, and what a program calls `span` is its own. */
export function isSpanId(provider: string, field: Field): boolean {
  return provider === 'blkin' && (isId(field) || field.name === 'parent')
}

const idMember = (field: Field): string => `\t\thex64_t _${field.name};`
const contextMember = (field: Field): string => (isId(field) ? idMember(field) : member(field))

export function eventBlock(tracepoint: Tracepoint): string {
  const { provider } = tracepoint
  const members = tracepoint.fields.map((field) =>
    isSpanId(provider, field) ? idMember(field) : member(field),
  )
  return `
event {
	name = "${provider}:${tracepoint.event}";
	id = ${tracepoint.id};
	stream_id = 0;
	loglevel = ${tracepoint.level};
	fields := struct {
${members.map((one) => `${one}\n`).join('')}	};
};
`
}

/** Tells the preamble from the event blocks of a file we wrote: no string in it holds a line's end. */
export function splitMetadata(text: string): { preamble: string; events: string[] } {
  const [first, ...rest] = text.split('\nevent {\n')
  return { preamble: first!, events: rest.map((block) => `\nevent {\n${block}`) }
}

const SCALARS: Record<number, string> = {
  [types.Type.U8]: 'uint8_t',
  [types.Type.U16]: 'uint16_t',
  [types.Type.U32]: 'uint32_t',
  [types.Type.U64]: 'uint64_t',
  [types.Type.I8]: 'int8_t',
  [types.Type.I16]: 'int16_t',
  [types.Type.I32]: 'int32_t',
  [types.Type.I64]: 'int64_t',
  [types.Type.F32]: 'float32_t',
  [types.Type.F64]: 'float64_t',
  [types.Type.BOOL]: 'enum : uint8_t { "false" = 0, "true" = 1 }',
  [types.Type.STRING]: 'string',
  [types.Type.BYTES]: 'hex8_t',
}

function member(field: Field): string {
  const name = field.name
  const type = field.type === types.Type.ENUM ? enumType(field) : SCALARS[field.type]!
  if (field.type === types.Type.BYTES || field.shape === types.Shape.SEQUENCE) {
    return `\t\tuint32_t __${name}_length;\n\t\t${type} _${name}[ __${name}_length ];`
  }
  return field.shape === types.Shape.ARRAY
    ? `\t\t${type} _${name}[${field.length}];`
    : `\t\t${type} _${name};`
}

function enumType(field: Field): string {
  const labels = field.labels!.map((label) => `${quoted(label.name)} = ${big(label.value)}`)
  return `enum : ${SCALARS[field.container!]} { ${labels.join(', ')} }`
}

const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`

export function dashed(uuid: Buffer): string {
  return uuid.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}
