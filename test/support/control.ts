// test/support/control.ts: a controller's side of tests: finds a child's socket, and looks at the child from outside, as
// the kernel shows it.

import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { connect as connectSocket, type Socket } from 'node:net'
import { join } from 'node:path'
import { type Control, connectControl, type SessionSpec } from '@blkin/relay'
import { onTestFinished } from 'vitest'
import { until } from './relays.js'
import type { Running } from './run.js'

export const userFolder = `/dev/shm/blkin-${process.geteuid?.()}`

/** The folder of the process, once it listens. */
export async function folderOf({ child }: Pick<Running, 'child'>): Promise<string> {
  const find = () =>
    existsSync(userFolder)
      ? readdirSync(userFolder).find((name) => name.startsWith(`${child.pid}-`))
      : undefined
  await until(() => {
    const found = find()
    if (child.exitCode !== null) throw new Error(`the program ended with ${child.exitCode} and has no socket`)
    return found !== undefined && existsSync(join(userFolder, found, 'control'))
  })
  return join(userFolder, find() as string)
}

/** Connected until the test ends. */
export async function controllerOf(running: Pick<Running, 'child'>): Promise<Control> {
  const control = await connectControl(join(await folderOf(running), 'control'))
  onTestFinished(() => control.close())
  return control
}

/** A connection that says what the test likes. */
export async function rawSocket(folder: string): Promise<Socket> {
  const socket = connectSocket(join(folder, 'control'))
  socket.on('error', () => {})
  onTestFinished(() => void socket.destroy())
  await once(socket, 'connect')
  return socket
}

export function spec(
  name: string,
  relay: string | undefined,
  changes: Partial<SessionSpec> = {},
): SessionSpec {
  return {
    name,
    ...(relay === undefined ? {} : { relay }),
    ack: 'written',
    channel: { subBufferBytes: 65536, subBuffers: 4, mode: 'discard' },
    contexts: [],
    attached: false,
    ...changes,
  }
}

const status = (pid: number, name: string): number =>
  Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])

/** Bytes. */
export const rss = (pid: number): number => status(pid, 'VmRSS') * 1024
export const threads = (pid: number): number => status(pid, 'Threads')
export const descriptors = (pid: number): string[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)]
    } catch {
      return [] // closed meanwhile
    }
  })
/** The files under the folder that the process has mapped. */
export const mapped = (pid: number, folder: string): string[] => [
  ...new Set(
    readFileSync(`/proc/${pid}/maps`, 'utf8')
      .split('\n')
      .flatMap((line) => new RegExp(`${folder}/(\\S+)`).exec(line)?.[1] ?? []),
  ),
]
/** CPU time used so far, in ticks of 10 ms. */
export const ticks = (pid: number): number => {
  const words = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(words[11]) + Number(words[12])
}

/** What a process keeps in its folder: how many rings, and bytes of all else. */
export function contentsOf(folder: string): { rings: number; bytes: number } {
  const found = { rings: 0, bytes: 0 }
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    if (/\/(events|spans)$/.test(entry.parentPath)) found.rings++
    else found.bytes += statSync(join(entry.parentPath, entry.name)).size
  }
  return found
}
