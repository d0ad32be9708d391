// test/soak/relay-process.mjs: `blkin relay` as a child with one address for all its lives, that can be ended in both ways and started
// again on the same folder. relays.mjs has two of them.
import { once } from 'node:events'
import { join } from 'node:path'
import { freePort } from '../../scripts/lib/ports.mjs'
import { root, spawnBound } from '../../scripts/lib/run.mjs'

export const command = join(root, 'dist/cli/main.js')

export class RelayProcess {
  #child
  #stderr = ''
  /** Whether its end is meant. */
  #isEnding = false

  /** @param {{ output: string, flags?: string[], node?: string[] }} options node: flags for Node.js itself */
  static async start(options) {
    const one = new RelayProcess()
    one.output = options.output
    one.address = `127.0.0.1:${await freePort()}`
    one.http = `127.0.0.1:${await freePort()}`
    one.options = options
    await one.start()
    return one
  }

  get pid() {
    return this.#child.pid
  }

  async start() {
    const { output, flags = [], node = [] } = this.options
    // As nice as the programs: what is to be seen here is no starvation.
    const where = ['--listen', this.address, '--http', this.http, '--output', output, '--nice', '0']
    const child = spawnBound(process.execPath, [...node, command, 'relay', ...where, ...flags], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child = child
    this.#isEnding = false
    this.#stderr = ''
    const ended = once(child, 'close')
    await new Promise((resolve, reject) => {
      child.stderr.setEncoding('utf8').on('data', (text) => {
        this.#stderr = (this.#stderr + text).slice(-4000)
        if (this.#stderr.includes("Zipkin's API is on")) resolve()
      })
      ended.then(() => reject(new Error(`the relay did not start: ${this.#stderr}`)))
    })
  }

  /** A relay that ended by itself is a fault. */
  check() {
    if (!this.#isEnding && (this.#child.exitCode !== null || this.#child.signalCode !== null))
      throw new Error(
        `a relay ended by itself, ${this.#child.signalCode ?? this.#child.exitCode}: ${this.#stderr}`,
      )
  }

  /** @param {'SIGTERM' | 'SIGKILL'} signal */
  async stop(signal) {
    this.#isEnding = true
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill(signal)
    await ended
    if (signal === 'SIGTERM' && this.#child.exitCode !== 0)
      throw new Error(`a relay told to end exited with ${this.#child.exitCode}: ${this.#stderr}`)
  }
}
