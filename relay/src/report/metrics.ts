// relay/src/report/metrics.ts: what Prometheus gets of a relay when it asks: what is counted elsewhere, and what is counted for it alone.
// thread/tracing.ts owns one.

import { stat } from 'node:fs/promises'
import { type Exposed, expose } from '../metrics/exposition.js'
import { type ProcessUse, processMetrics } from '../metrics/process.js'
import type { Latencies } from '../pipeline/latencies.js'
import { type Counted, relayMetrics } from './families.js'

type Exposable = Omit<Counted, 'latencies' | 'files'> & { use: ProcessUse }

export class Metrics {
  constructor(
    readonly latencies: Latencies,
    /** The store's file, beside which its log is. */
    readonly database: string,
  ) {}

  async expose({ use, ...counted }: Exposable, accept: string): Promise<Exposed> {
    const { latencies, database } = this
    const files = { data: await sizeOf(database), log: await sizeOf(`${database}.wal`) }
    return expose([...relayMetrics({ ...counted, latencies, files }), ...processMetrics(use)], accept)
  }
}

const sizeOf = (path: string): Promise<number> =>
  stat(path).then(
    ({ size }) => size,
    () => 0, // there is no log while nothing is written
  )
