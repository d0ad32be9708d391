// lib/trace/handle.ts: what every span handle is, recorded or not: a Span for the program, and for this folder something
// that can have children and a context on the wire.
import { fits, writeBinary } from './binary.js'
import { counts, refused } from './counts.js'
import type { Form } from './form.js'
import { injectInto } from './propagation.js'
import type { BeginOptions, Carrier, Endpoint, Format, Span, TagValue } from './span.js'
import type { WireContext } from './wire.js'

export abstract class Handle implements Span {
  abstract readonly enabled: boolean
  /** Whether somebody said why: the tag `error`. */
  abstract readonly failed: boolean
  abstract rename(name: string): void
  abstract annotate(value: string): void
  abstract tag(key: string, value: TagValue): void
  abstract end(): void
  /** The other side, where it is known only after the start. */
  abstract remote(endpoint: Endpoint): void

  /** A span below this one. May throw where the options do. */
  abstract child<What>(form: Form<What>, what: What, options: BeginOptions | undefined): Handle
  /** What goes on the wire; undefined: nothing is to be said. */
  abstract context(): WireContext | undefined

  get traceId(): string {
    const context = this.context()
    return context?.hasIds ? context.shortTraceId : ''
  }

  get spanId(): string {
    const context = this.context()
    return context?.hasIds ? context.spanId : ''
  }

  pack(buffer: Uint8Array, offset = 0): boolean {
    if (fits(buffer, offset)) {
      this.packAt(buffer, offset)
      return true
    }
    counts[refused]!++
    return false
  }

  /** Where it fits. */
  protected packAt(buffer: Uint8Array, at: number): void {
    writeBinary(this.context(), buffer, at)
  }

  inject<C extends Carrier>(headers: C, format: Format): C {
    return injectInto(this.context(), headers, format)
  }
}
