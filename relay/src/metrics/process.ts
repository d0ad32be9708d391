// relay/src/metrics/process.ts: what the relay's process takes, under the names that every client of Prometheus has for it; and
// how late the event loop of its own thread is, and how busy: counted, so that it can be asked by many, and over any time.

import { readdirSync } from 'node:fs'
import type { Family } from './exposition.js'
import { Histogram } from './histogram.js'

/** Microseconds. */
const BOUNDS = [1e3, 5e3, 10e3, 25e3, 50e3, 100e3, 250e3, 500e3, 1e6, 2.5e6, 5e6, 10e6]

/** Of something that is to happen so often. */
export class Lag {
  readonly histogram = new Histogram(BOUNDS)
  #last: number | undefined

  constructor(readonly everyMs: number) {}

  tick(now: number): void {
    if (this.#last !== undefined) this.histogram.add(Math.max(0, now - this.#last - this.everyMs) * 1000)
    this.#last = now
  }
}

/** What only the relay's own thread can say of itself. */
export interface ProcessUse {
  startedAt: number
  heapUsed: number
  heapTotal: number
  external: number
  /** Milliseconds. */
  active: number
  lag: Histogram
}

export function processUse({ histogram: lag }: Lag): ProcessUse {
  const { heapUsed, heapTotal, external } = process.memoryUsage()
  const { active } = performance.eventLoopUtilization()
  return { startedAt: performance.timeOrigin, heapUsed, heapTotal, external, active, lag }
}

/** In any of its threads. */
export function processMetrics(use: ProcessUse): Family[] {
  const { user, system } = process.cpuUsage()
  const { rss } = process.memoryUsage()
  const { startedAt, heapUsed, heapTotal, external, active, lag: histogram } = use
  const gauge = (name: string, help: string, value: number): Family => ({
    ...{ name, type: 'gauge', help, samples: [[{}, value]] },
  })
  const counter = (name: string, help: string, value: number): Family => ({
    ...{ name, type: 'counter', help, samples: [[{}, value]] },
  })
  return [
    counter('process_cpu_seconds', 'Time of processors, of all threads.', (user + system) / 1e6),
    gauge('process_start_time_seconds', 'When it began, since the epoch.', startedAt / 1000),
    gauge('process_resident_memory_bytes', 'Memory that it has.', rss),
    gauge('process_open_fds', 'Files and sockets that are open.', openFiles()),
    gauge('nodejs_heap_size_used_bytes', 'Of the heap, what is in use.', heapUsed),
    gauge('nodejs_heap_size_total_bytes', 'The heap.', heapTotal),
    gauge('nodejs_external_memory_bytes', 'Buffers and the like, beside the heap.', external),
    counter('blkin_relay_event_loop_active_seconds', 'For how long the event loop was busy.', active / 1000),
    {
      ...{ name: 'blkin_relay_event_loop_lag_seconds', type: 'histogram' },
      help: 'How late it did what it does twenty times a second.',
      series: [{ labels: '', histogram }],
    },
  ]
}

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').length - 1 // the one that reads
  } catch {
    return Number.NaN
  }
}
