// test/support/relays.ts: relays for tests: in this process, or in a child that can be killed and started again on the
// same folder and port. Ended with the test.

import { join } from 'node:path'
import { type Relay, type RelayOptions, startRelay } from '@blkin/relay'
import { onTestFinished } from 'vitest'
import { freePort } from '../../scripts/lib/ports.mjs'
import { folder, program, start } from './run.js'

export interface TestRelay extends Relay {
  output: string
  lines: string[]
  /** Where controllers need no token. */
  socket: string
  /** BLKIN_* that make a child send to this relay. */
  env: Record<string, string>
}

export async function relay(options: Partial<RelayOptions> = {}): Promise<TestRelay> {
  const output = folder()
  const lines: string[] = []
  const log = (line: string) => lines.push(line)
  const made = await startRelay({ listen: '127.0.0.1:0', output, log, ...options })
  onTestFinished(() => made.close())
  const socket = await made.listenAtSocket(join(folder(), 'relay'))
  return { ...made, output, lines, socket, env: { BLKIN_RELAY: made.address, BLKIN_ENABLE: '*:*' } }
}

export interface ChildRelay {
  /** Where controllers need no token. */
  socket: string
  kill(): Promise<void>
}

export async function childRelay(listen: string, output: string): Promise<ChildRelay> {
  const socket = join(folder(), 'relay')
  const running = start(program('relay.mjs'), { args: [listen, output, socket], timeout: 60_000 })
  await running.says('listening')
  return {
    socket: `unix:${socket}`,
    async kill() {
      running.child.kill('SIGKILL')
      await running.ended
    },
  }
}

/** A loopback address where nobody listens now. */
export const freeAddress = async (): Promise<string> => `127.0.0.1:${await freePort()}`

/** Until something that happens elsewhere has happened; the test's own time limit ends the wait. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 10))
}
