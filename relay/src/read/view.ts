// relay/src/read/view.ts: prints a trace to a stream: the engine of `blkin view`.
// It waits while the stream is full, and stops without complaint when whoever reads it has gone (head, less).

import { once } from 'node:events'
import type { Writable } from 'node:stream'
import { formatJson } from './json.js'
import { type ReadOptions, readItems } from './merge.js'
import type { TraceEvent } from './model.js'
import { formatText } from './text.js'

export interface ViewOptions extends ReadOptions {
  path: string
  json?: boolean
  output: Writable
}

/** How many events were printed, and how many the trace says were lost among them. */
export async function view(options: ViewOptions): Promise<{ events: number; lost: bigint }> {
  const { path, json, output, ...reading } = options
  const sum = { events: 0, lost: 0n }
  let before: TraceEvent | undefined
  let text = ''
  let failed: NodeJS.ErrnoException | undefined
  const onError = (error: NodeJS.ErrnoException) => {
    failed = error
  }
  output.on('error', onError)
  try {
    for (const item of readItems(path, reading)) {
      text += `${json ? formatJson(item) : formatText(item, before)}\n`
      if (item.kind === 'loss') sum.lost += item.events
      else {
        sum.events++
        before = item
      }
      if (text.length < 65536) continue
      await write(output, text)
      text = ''
      if (failed || output.destroyed) break
    }
    if (text !== '' && !failed) await write(output, text)
  } finally {
    output.off('error', onError)
  }
  if (failed && failed.code !== 'EPIPE') throw failed
  return sum
}

/** Resolves when the stream took it, or will take no more; what went wrong is heard by view(). */
async function write(output: Writable, text: string): Promise<void> {
  if (output.destroyed || output.write(text)) return
  const gone = new AbortController()
  const { signal } = gone
  await Promise.race([once(output, 'drain', { signal }), once(output, 'close', { signal })]).catch(() => {})
  gone.abort()
}
