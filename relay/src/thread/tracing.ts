// relay/src/thread/tracing.ts: all that runs in the thread of the spans, put together: the pipeline, and an API over what it stores.
// worker.ts opens one.

import { mkdir } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { RejectionLog } from '../common/rejections.js'
import { Alerts } from '../pipeline/alerts/alerts.js'
import { Memory } from '../pipeline/alerts/memory.js'
import type { TracingOptions } from '../pipeline/options.js'
import { Pipeline } from '../pipeline/pipeline.js'
import type { Progress } from '../pipeline/progress.js'
import { checkSample } from '../pipeline/sample/chance.js'
import { Sampler } from '../pipeline/sample/sampler.js'
import { Sinks } from '../pipeline/sinks/sinks.js'
import { checkOther } from '../pipeline/sinks/zipkin.js'
import { SpanStore, STORE_FILE } from '../pipeline/store/store.js'
import { Answers } from '../ports/http/answers.js'
import { Cors } from '../ports/http/cors.js'
import { Hosts } from '../ports/http/hosts.js'
import { type HttpOptions, type HttpServer, startHttp } from '../ports/http/server.js'
import { guardedAddress } from '../protocol/address.js'
import type { Tokens } from '../protocol/check/rights.js'
import { makeOutput } from '../recording/files/output.js'
import { Metrics } from '../report/metrics.js'
import { statusOf } from '../report/status.js'
import type { OwnCounts } from './messages.js'

const WEEK_MS = 7 * 86_400_000
const MOST_BYTES = 10 * 2 ** 30

/** What the worker has for it. */
export interface TracingContext {
  tokens: Tokens
  version: string
  rejections: RejectionLog
  progress?: Progress
  /** What the relay's own thread counts, once it has told of all that it has stored. */
  ask(): Promise<OwnCounts>
  /** Somebody waits, or no longer. */
  hurry?(isHurried: boolean): void
}

export class Tracing {
  private constructor(
    readonly pipeline: Pipeline,
    readonly http: HttpServer | undefined,
  ) {}

  /** @throws TypeError, RangeError naming what was given, before anything is opened */
  static async open(output: string, options: TracingOptions, context: TracingContext): Promise<Tracing> {
    const { listen, allowOrigins = [], sample, sinks = {} } = options
    const { tokens, rejections } = context
    const { log, reject } = rejections
    const where = listen === undefined ? undefined : guardedAddress(listen, 'http', tokens.token)
    const answers = new Answers(reject)
    const guard = { tokens, cors: new Cors(allowOrigins), hosts: new Hosts([hostname()], allowOrigins) }
    if (sample) checkSample(sample)
    if (listen && sinks.zipkin) checkOther(listen, sinks.zipkin)
    const servers = new Sinks(sinks, log)
    const sampler = sample && new Sampler(sample)
    const isThere = (id: string, now: number) => sampler?.keepsExample(id, now) ?? true
    const alerts =
      options.alerts && new Alerts(options.alerts, { log, wall: Date.now, isThere }, performance.now())
    const folder = join(output, '.spans')
    await makeOutput(output)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const store = await openStore(folder, options, rejections)
    const { progress } = context
    const pipeline = new Pipeline({ store, sinks: servers, sampler, alerts, reject, progress })
    try {
      const http = where && (await serve(output, pipeline, context, { where, ...guard, answers, reject }))
      pipeline.begin(http && `http://${http.address}`, new Memory(join(folder, 'alerts.json'), log))
      return new Tracing(pipeline, http)
    } catch (error) {
      await pipeline.close()
      throw error
    }
  }

  /** What was put is read, and spans that are still open are stored as they are. */
  async close(): Promise<void> {
    await this.pipeline.recorded.isRead
    await this.http?.close()
    await this.pipeline.close()
  }
}

function openStore(
  folder: string,
  { autocompleteKeys = [], maxAge = WEEK_MS, maxBytes = MOST_BYTES, memory }: TracingOptions,
  rejections: RejectionLog,
): Promise<SpanStore> {
  return SpanStore.open(folder, {
    ...{ autocompleteKeys, retention: { age: maxAge, bytes: maxBytes }, rejections },
    ...(memory === undefined ? {} : { memory }),
  })
}

/** Zipkin's API over what the pipeline stores, and what the relay says of itself. */
function serve(
  output: string,
  pipeline: Pipeline,
  { version, ask, hurry = () => {} }: TracingContext,
  options: HttpOptions,
): Promise<HttpServer> {
  const since = Date.now()
  const metrics = new Metrics(pipeline.latencies, join(output, '.spans', STORE_FILE))
  return startHttp(
    {
      ...{ store: pipeline.store, version },
      accept: (spans) => pipeline.takePosted(spans),
      async status() {
        const { counts } = await ask()
        return statusOf({ version, since, output, tracing: pipeline.stats(), ...counts })
      },
      async metrics(form) {
        const { counts, use } = await ask()
        const tracing = pipeline.stats()
        return metrics.expose({ version, counts, tracing, answers: options.answers.all(), use }, form)
      },
      async catchUp() {
        await ask()
        await pipeline.recorded.catchUp(hurry)
      },
    },
    options,
  )
}
