// test/support/cli.ts: the command as a user types it, beside processes that live meanwhile: nothing here blocks.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { until } from './relays.js'
import { cleanEnvironment, program, type Running, root, start } from './run.js'

export const cli = join(root, 'dist/cli/main.js')

export interface Done {
  code: number | null
  out: string
  err: string
}

export interface Started {
  child: ChildProcess
  done: Promise<Done>
  /** What it printed so far. */
  text(): string
  /** Until stdout or stderr holds it. */
  says(text: string | RegExp): Promise<void>
}

export function startBlkin(args: string[], env: Record<string, string> = {}, cwd = process.cwd()): Started {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd,
    env: { ...cleanEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let [out, err] = ['', '']
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const done = once(child, 'close').then(([code]) => ({ code, out, err }) as Done)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await done
  })
  return {
    child,
    done,
    text: () => out + err,
    says: (text) =>
      until(() => (typeof text === 'string' ? (out + err).includes(text) : text.test(out + err))),
  }
}

export const blkin = (...args: string[]): Promise<Done> => startBlkin(args).done

export const json = <T>({ out }: Done): T[] =>
  out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T)

let names = 0

/** A program that ticks, under a name that no other test's has. */
export async function ticking(
  options: { rate?: number; how?: 'turn' | 'block'; name?: string; env?: Record<string, string> } = {},
): Promise<Running & { pid: string; name: string }> {
  const name = options.name ?? `ticking-${process.pid}-${++names}`
  const running = start(program('ticking.mjs'), {
    args: [String(options.rate ?? 200), options.how ?? 'turn'],
    env: { BLKIN_NAME: name, ...options.env },
    timeout: 60_000,
  })
  await running.says('ticking')
  return { ...running, pid: String(running.child.pid), name }
}
