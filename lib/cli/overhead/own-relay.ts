// lib/cli/overhead/own-relay.ts: starts relay-process.ts and asks it. In a process of its own it takes nothing from the event loop
// that drives the load, and what it uses of the processor can be told.
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { compileGlob } from '../names/glob.js'
import { loadRelay } from '../relay/load-relay.js'
import type { RelayCounts } from './relay-process.js'

export interface OwnRelay {
  readonly address: string
  readonly token: string
  readonly pid: number
  /** What has come; traces of programs that have ended go. */
  counts(): Promise<RelayCounts>
  close(): Promise<void>
}

/** With what assembles and keeps spans, where the patterns cover them: it is part of their cost. */
export async function startOwnRelay(patterns: readonly string[]): Promise<OwnRelay> {
  await loadRelay() // where it is missing, main.ts has the words
  const hasSpans = patterns.some((pattern) => compileGlob(`${pattern.split(':')[0]}:x`)('blkin:x'))
  const file = fileURLToPath(new URL('relay-process.js', import.meta.url))
  const child = fork(file, hasSpans ? ['spans'] : [], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const { address, token } = (await answer(child)) as { address: string; token: string }
  return {
    ...{ address, token, pid: child.pid! },
    async counts() {
      const answered = answer(child)
      child.send('counts')
      return (await answered) as RelayCounts
    },
    async close() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = once(child, 'exit')
      child.disconnect()
      await ended
    },
  }
}

function answer(child: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the relay that was started for it has ended'))
    child.once('exit', ended)
    child.once('message', (message) => {
      child.off('exit', ended)
      resolve(message)
    })
  })
}
