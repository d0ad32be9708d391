// bench/lib/child.mjs: a process that is measured, and the pipe on which it is told what to do next. Slice children
// (bench/slice.h, bench/js/slices.mjs) answer one line to one line; the order of the lines is the order of the answers.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export class Child {
  #process
  #answers
  #exited

  /** @param options those of spawn(), and `answers`: the descriptor on which it answers */
  constructor(command, args = [], { answers = 1, ...options } = {}) {
    this.name = [command, ...args].join(' ')
    this.#process = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], ...options })
    this.#exited = once(this.#process, 'close')
    this.#exited.catch(() => {}) // a failed start is told by the first ask()
    this.#process.stdin.on('error', () => {})
    this.#answers = createInterface({ input: this.#process.stdio[answers] })[Symbol.asyncIterator]()
  }

  get pid() {
    return this.#process.pid
  }

  /** @returns {Promise<string>} the line that answers this one */
  async ask(line) {
    this.#process.stdin.write(`${line}\n`)
    return this.hear()
  }

  async hear() {
    const { value, done } = await this.#answers.next()
    if (!done) return value
    const [code, signal] = await this.#exited
    throw new Error(`${this.name}: ended with ${signal ?? `exit code ${code}`} before it answered`)
  }

  /** Nanoseconds that `count` times `name` took. */
  async slice(name, count) {
    return Number(await this.ask(`${name} ${count}`))
  }

  /** Bytes of the heap that a turn of `name` takes. */
  async garbage(name, count) {
    return Number(await this.ask(`garbage ${name} ${count}`))
  }

  /** Quantiles of the ns of single turns of `name`. */
  async latency(name, count) {
    return JSON.parse(await this.ask(`latency ${name} ${count}`))
  }

  /** What it says when its stdin ends, as JSON. */
  async last() {
    this.#process.stdin.end()
    return JSON.parse(await this.hear())
  }

  /** Closes its stdin, on which it ends by itself; after five seconds it is killed. */
  async end() {
    this.#process.stdin.end()
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 5000)
    await this.#exited.catch(() => {})
    clearTimeout(timer)
  }
}
