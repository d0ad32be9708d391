// lib/trace/span.ts: what a program holds of a span, and what it may say when it starts one. Types only.

export type SpanKind = 'local' | 'client' | 'server' | 'producer' | 'consumer'

/** The other side of a span, as far as it is known. */
export interface Endpoint {
  readonly service?: string | undefined
  readonly address?: string | undefined
  readonly port?: number | undefined
}

export type TagValue = string | number | boolean | bigint

/** Of every span that begins. */
export interface BeginOptions {
  readonly remote?: Endpoint | undefined
  /** Keeps the whole trace, whatever the sampling says; where this span begins one. */
  readonly debug?: boolean | undefined
}

export interface SpanOptions extends BeginOptions {
  /** Default: local. */
  readonly kind?: SpanKind | undefined
  /** Default: the current span. */
  readonly parent?: Span | undefined
  /** Tags known at the beginning: of a root, they are there when it is decided whether to record the trace. */
  readonly tags?: Readonly<Record<string, TagValue>> | undefined
}

/** 'traceparent' is W3C's, with tracestate; 'b3' Zipkin's in one header, 'b3multi' in several. */
export type Format = 'traceparent' | 'b3' | 'b3multi'

/** Headers as an object, or anything with get() and set(), such as fetch's Headers. */
export type Carrier = object

/**
 * A piece of work. Nothing here throws: a wrong argument, a second end() and whatever comes after an end change
 * nothing and are counted (`status().spans`).
 */
export interface Span {
  /** False where nothing is recorded: to spare the making of costly values. */
  readonly enabled: boolean
  /** 16 or 32 hex digits; empty while there is none. */
  readonly traceId: string
  /** 16 hex digits; empty while there is none. */
  readonly spanId: string
  /** Another name, where the right one is known only after the start. The last one counts. */
  rename(name: string): void
  /** Something that happened at this moment. */
  annotate(value: string): void
  /** What is known of the work. A boolean or a bigint is stored as its text; the tag `error` says that it failed. */
  tag(key: string, value: TagValue): void
  /**
   * Puts the context at `offset` as BlkKin's 24 bytes: trace, span and parent, big-endian.
   * @returns false where they do not fit
   */
  pack(buffer: Uint8Array, offset?: number): boolean
  /** Puts the context into headers. @returns the same headers */
  inject<C extends Carrier>(headers: C, format: Format): C
  end(): void
}
