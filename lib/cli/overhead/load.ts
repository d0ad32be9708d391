// lib/cli/overhead/load.ts: --url: autocannon's load on a server, and what it sees of the answers, block by block. autocannon is no
// dependency: it is taken from the project in which the command is run, or from beside blkin.
import type { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { quantile } from './quantiles.js'
import type { Readings } from './rounds.js'

/** What is used of autocannon, whose package has no types. */
type Autocannon = (options: {
  url: string
  connections: number
  duration: number
  sampleInt: number
}) => EventEmitter & PromiseLike<unknown> & { stop(): void }

export const connections = 10

export async function loadAutocannon(): Promise<Autocannon> {
  for (const from of [pathToFileURL(join(process.cwd(), 'x')), import.meta.url]) {
    const require = createRequire(from)
    try {
      return require(require.resolve('autocannon')) as Autocannon
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    }
  }
  throw new Error(
    '--url needs the package autocannon, which makes the load: npm install --save-dev autocannon',
  )
}

export class Load {
  /** Answers that were no 2xx or 3xx, and requests that got none. */
  failed = 0
  readonly #running: ReturnType<Autocannon>
  #latencies: number[] = []

  constructor(autocannon: Autocannon, url: string) {
    this.#running = autocannon({ url, connections, duration: 1e6, sampleInt: 100 })
    this.#running.on('response', (_client: unknown, status: number, _bytes: number, ms: number) => {
      if (status >= 200 && status < 400) this.#latencies.push(ms)
      else this.failed++
    })
    this.#running.on('reqError', () => this.failed++)
  }

  begin(): void {
    this.#latencies = []
  }

  /** Of the time since begin(). */
  read(seconds: number): Readings {
    const all = this.#latencies
    if (all.length === 0) return { requests: 0, rate: 0 }
    return {
      ...{ requests: all.length, rate: all.length / seconds },
      ...{ p50: quantile(all, 0.5), p99: quantile(all, 0.99) },
    }
  }

  async stop(): Promise<void> {
    this.#running.stop()
    await this.#running
  }
}
