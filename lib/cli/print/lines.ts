// lib/cli/print/lines.ts: lines to a stream whose reader may be slow: never waits for it, and keeps at most `most` bytes for
// it. What it has no room for is dropped, and one line says how many when there is room again.
import type { Writable } from 'node:stream'
import { grouped } from './amounts.js'

const most = 256 * 1024

/**
 * Node.js writes to a terminal synchronously: a stopped one would stop us, signals included. This is the handle's own
 * switch for it; pipes are never waited for.
 */
export function neverWaitFor(stream: NodeJS.WriteStream): void {
  const { _handle } = stream as { _handle?: { setBlocking?(on: boolean): void } }
  if (stream.isTTY) _handle?.setBlocking?.(false)
}

export class Lines {
  #text = ''
  #dropped = 0

  constructor(
    readonly output: Writable,
    /** The line that stands for lines that were dropped. */
    readonly gap: (dropped: number) => string,
  ) {}

  /** True where there is room: whoever asks first is spared the making of a line that would be dropped. */
  get room(): boolean {
    return this.output.writableLength + this.#text.length < most
  }

  add(line: string): void {
    if (this.#dropped > 0) this.#tellGap()
    this.#text += `${line}\n`
    if (this.#text.length > 16_384) this.flush()
  }

  drop(lines = 1): void {
    this.#dropped += lines
  }

  flush(): void {
    if (this.#dropped > 0 && this.room) this.#tellGap()
    if (this.#text === '') return
    this.output.write(this.#text)
    this.#text = ''
  }

  #tellGap(): void {
    const dropped = this.#dropped
    this.#dropped = 0
    this.#text += `${this.gap(dropped)}\n`
  }
}

export const slowText = (dropped: number): string =>
  `… ${grouped(dropped)} ${dropped === 1 ? 'event' : 'events'} dropped: the terminal is slow`

/** 128 + SIGPIPE, as a shell gives a command that wrote to nobody. */
const pipeExit = 141
const lastWordsMs = 200

let gone = false

/** Resolves when whoever read stdout has gone, or it cannot be written any more. */
export function readerGone(): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
      gone = code === 'EPIPE'
      resolve()
    })
  })
}

/** Gives what was written a moment to be read, then ends: whoever does not read does not keep the command. */
export async function leave(): Promise<never> {
  const { stdout } = process
  if (stdout.writableLength > 0 && !gone) {
    await new Promise<void>((resolve) => {
      setTimeout(resolve, lastWordsMs)
      stdout.write('', () => resolve())
    })
  }
  process.exit(gone ? pipeExit : process.exitCode)
}
