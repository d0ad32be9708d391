// lib/cli/top/screen.ts: the whole terminal for one picture that is drawn again and again: the alternate screen, no cursor,
// keys as they are pressed. Whatever ends the command but SIGKILL, the terminal is as it was. A terminal that does not
// read gets no new picture until it has read the last.
import { writeSync } from 'node:fs'

const enter = '\x1b[?1049h\x1b[?25l'
const leave = '\x1b[?25h\x1b[?1049l'

export class Screen {
  readonly #resized: () => void
  readonly #key: (key: Buffer) => void
  #open = true
  /** Resolves when q or ^C was pressed. */
  readonly quit: Promise<void>

  constructor(redraw: () => void) {
    let quit = () => {}
    this.quit = new Promise((resolve) => {
      quit = resolve
    })
    this.#resized = redraw
    this.#key = (key) => {
      if (key.includes('q') || key.includes(3)) quit()
    }
    process.stdout.write(enter)
    process.stdout.on('resize', this.#resized)
    process.on('exit', this.#leave)
    if (process.stdin.isTTY) {
      process.stdin.setRawMode(true)
      process.stdin.on('data', this.#key)
    }
  }

  get size(): { width: number; height: number } {
    return { width: process.stdout.columns || 80, height: process.stdout.rows || 24 }
  }

  draw(lines: readonly string[]): void {
    if (!this.#open || process.stdout.writableLength > 0) return
    process.stdout.write(`\x1b[H${lines.map((line) => `${line}\x1b[K`).join('\r\n')}\x1b[J`)
  }

  close(): void {
    if (!this.#open) return
    this.#open = false
    process.stdout.write(leave) // behind what it still has to read
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    process.off('exit', this.#leave)
    process.stdout.off('resize', this.#resized)
    process.stdin.off('data', this.#key)
    process.stdin.pause()
  }

  /** When the process ends and nobody closed it: by an error, that is. Nothing asynchronous happens any more. */
  readonly #leave = () => {
    if (process.stdin.isTTY) process.stdin.setRawMode(false)
    try {
      writeSync(1, leave)
    } catch {
      // A terminal that is gone or full has nothing to restore.
    }
  }
}
