// test/support/tmux.ts: a terminal of a fixed size that a test can read, type into, resize and stop reading: tmux, under
// a server of the test's own, which ends with the test.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { until } from './relays.js'
import { cleanEnvironment, folder, root } from './run.js'

export interface Terminal {
  /** What the screen shows, line by line. */
  screen(): string[]
  /** Until the screen holds it. */
  shows(text: string | RegExp): Promise<void>
  /** What it shows from now on of lines with these words, however soon they scroll away. */
  keeps(words: string): () => string
  type(...keys: string[]): void
  resize(width: number, height: number): void
  /** The terminal's program: while it is stopped nobody reads what is written. */
  server: { stop(): void; go(): void }
}

/** A shell without anybody's own settings. */
export function terminal(
  width: number,
  height: number,
  shell = 'bash --noprofile --norc',
  env = {},
): Terminal {
  const socket = join(folder(), 'tmux')
  const tmux = (...args: string[]) => {
    const done = spawnSync('tmux', ['-S', socket, ...args], {
      encoding: 'utf8',
      env: { ...cleanEnvironment(), TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', ...env },
    })
    if (done.status !== 0) throw new Error(`tmux ${args.join(' ')}: ${done.stderr}`)
    return done.stdout
  }
  const size = ['-x', String(width), '-y', String(height)]
  tmux('-u', '-f', '/dev/null', 'new-session', '-d', ...size, '-c', root, shell)
  const pid = Number(tmux('display-message', '-p', '#{pid}'))
  onTestFinished(() => {
    process.kill(pid, 'SIGCONT')
    spawnSync('tmux', ['-S', socket, 'kill-server'])
  })
  const screen = () => tmux('capture-pane', '-p').split('\n')
  const shows = (text: string | RegExp) =>
    until(() => {
      const shown = screen().join('\n')
      return typeof text === 'string' ? shown.includes(text) : text.test(shown)
    })
  return {
    ...{ screen, shows },
    keeps(words) {
      const file = join(folder(), 'kept')
      writeFileSync(file, '')
      tmux('pipe-pane', `grep --line-buffered '${words}' > ${file}`)
      return () => readFileSync(file, 'utf8')
    },
    type: (...keys) => void tmux('send-keys', '--', ...keys),
    resize: (x, y) => void tmux('resize-window', '-x', String(x), '-y', String(y)),
    server: { stop: () => void process.kill(pid, 'SIGSTOP'), go: () => void process.kill(pid, 'SIGCONT') },
  }
}
