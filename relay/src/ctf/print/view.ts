// relay/src/ctf/print/view.ts: prints a trace to a stream: the engine of `blkin view`.
// It waits while the stream is full, and stops without complaint when whoever reads it has gone (head, less).

import type { Writable } from 'node:stream'
import { compilePatterns } from '../../common/glob.js'
import { Merge, type ReadOptions } from '../read/merge.js'
import { JsonLines } from './json-lines.js'
import { TextLines } from './text-lines.js'

export interface ViewOptions extends ReadOptions {
  path: string
  json?: boolean
  /** A terminal reads the text, which may take some of it for commands: those are escaped. In JSON they are always. */
  isTerminal?: boolean
  output: Writable
}

/** How many events were printed, and how many the trace says were lost among them. */
export async function view(options: ViewOptions): Promise<{ events: number; lost: bigint }> {
  const { path, json, isTerminal, output, patterns, ...reading } = options
  const sum = { events: 0, lost: 0n }
  const printer = new LinePrinter(output)
  try {
    const lines = json ? new JsonLines() : new TextLines(isTerminal)
    const wants = compilePatterns(patterns ?? [])
    const merge = new Merge(path, { ...reading, wants }, (info, tracepoint) =>
      lines.compile(info, tracepoint),
    )
    for (let cursor = merge.next(); cursor !== undefined; cursor = merge.next()) {
      if (cursor.loss !== undefined) {
        lines.loss(cursor.loss)
        sum.lost += cursor.loss.events
      } else if (cursor.readPayload()) sum.events++
      if (!lines.buffer.full) continue
      await printer.print(lines.buffer.take())
      if (printer.gone) break
    }
    await printer.print(lines.buffer.take())
  } finally {
    printer.leave()
  }
  if (printer.failed && printer.failed.code !== 'EPIPE') throw printer.failed
  return sum
}

class LinePrinter {
  failed: NodeJS.ErrnoException | undefined
  /** Ends the wait for what is being written. */
  #done = () => {}
  readonly #onClose = () => this.#done()
  readonly #onError = (error: NodeJS.ErrnoException) => {
    this.failed = error
  }

  constructor(readonly output: Writable) {
    output.on('error', this.#onError).on('close', this.#onClose)
  }

  get gone(): boolean {
    return this.failed !== undefined || this.output.destroyed
  }

  /** Resolves when the bytes may be written over, or the stream will take no more. */
  async print(bytes: Buffer): Promise<void> {
    if (this.gone || bytes.length === 0) return
    // a stream of a descriptor is done with them when it calls back; another may hand them on and keep them
    const taken = 'fd' in this.output ? bytes : Buffer.from(bytes)
    await new Promise<void>((resolve) => {
      this.#done = resolve
      this.output.write(taken, () => resolve())
    })
  }

  leave(): void {
    this.output.off('error', this.#onError).off('close', this.#onClose)
  }
}
