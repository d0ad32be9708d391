// relay/src/recording/declared.ts: the tracepoints that one process has declared: each as its block of metadata, which
// tells whether one that comes again is the same, and as readers know it. Recordings own one each. No I/O.

import { tracepoint as fromWire } from '../ctf/from-wire.js'
import { eventBlock } from '../ctf/metadata.js'
import type { TraceTracepoint } from '../ctf/model.js'
import { malformed, refuse } from '../protocol/check/refuse.js'
import { checkTracepoint, MAX_TRACEPOINTS } from '../protocol/check/tracepoint.js'
import type { Tracepoint } from '../protocol/wire.js'

const MAX_METADATA = 16 * 2 ** 20

export interface Added {
  blocks: string[]
  tracepoints: TraceTracepoint[]
  bytes: number
}

export class Declared {
  #bytes: number

  constructor(
    head: string,
    readonly blocks: string[],
    /** The trace's own list, which grows here. */
    readonly tracepoints: TraceTracepoint[],
  ) {
    this.#bytes = head.length + blocks.reduce((sum, text) => sum + text.length, 0)
  }

  /** Those that are new, once all are checked; nothing is changed. */
  check(tracepoints: Tracepoint[]): Added {
    const known = this.blocks.length
    const added: Added = { blocks: [], tracepoints: [], bytes: this.#bytes }
    let expected = tracepoints[0]?.id ?? known
    if (expected < 0 || expected > known) malformed('tracepoint: id', expected, `0 to ${known}, the next one`)
    for (const tracepoint of tracepoints) {
      if (expected >= MAX_TRACEPOINTS) malformed('tracepoint: id', expected, `0 to ${MAX_TRACEPOINTS - 1}`)
      checkTracepoint(tracepoint, expected)
      const block = eventBlock(tracepoint)
      if (expected >= known) {
        added.blocks.push(block)
        added.tracepoints.push(fromWire(tracepoint))
        added.bytes += block.length
      } else if (block !== this.blocks[expected]) {
        refuse('MALFORMED', `tracepoint ${expected} differs from the one declared before; expected the same`)
      }
      expected++
    }
    const { bytes } = added
    if (bytes > MAX_METADATA) malformed('tracepoints: metadata', `${bytes} bytes`, `at most ${MAX_METADATA}`)
    return added
  }

  add(added: Added): void {
    this.blocks.push(...added.blocks)
    this.tracepoints.push(...added.tracepoints)
    this.#bytes = added.bytes
  }
}
