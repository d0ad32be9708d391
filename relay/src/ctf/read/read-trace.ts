// relay/src/ctf/read/read-trace.ts: a trace's items for programs, in the order of time, decoded.

import { setImmediate } from 'node:timers/promises'
import { compilePatterns } from '../../common/glob.js'
import type { TraceEvent, TraceInfo } from '../model.js'
import { Decoders, readEvent } from '../packet-reader.js'
import type { ReadPayload } from '../payload-readers.js'
import { Merge, type ReadOptions, type TraceItem } from './merge.js'

/** Hands out items, and lets the event loop breathe between them. */
export async function* readTrace(path: string, options: ReadOptions = {}): AsyncGenerator<TraceItem> {
  let count = 0
  for (const item of readItems(path, options)) {
    if (++count % 4096 === 0) await setImmediate()
    yield item
  }
}

function* readItems(path: string, { patterns, ...options }: ReadOptions): Generator<TraceItem> {
  const wants = compilePatterns(patterns ?? [])
  const allDecoders = new Map<TraceInfo, Decoders>()
  let event: TraceEvent | undefined
  const compile = (info: TraceInfo): ReadPayload => {
    const decoders = allDecoders.get(info) ?? new Decoders(info, () => true)
    allDecoders.set(info, decoders)
    return (walk) => {
      event = readEvent(walk, decoders)
    }
  }
  const merge = new Merge(path, { ...options, wants }, compile)
  for (let cursor = merge.next(); cursor !== undefined; cursor = merge.next()) {
    if (cursor.loss !== undefined) yield cursor.loss
    else if (cursor.readPayload()) yield event!
  }
}
