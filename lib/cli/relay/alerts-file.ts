// lib/cli/relay/alerts-file.ts: the file that `blkin relay --alerts` names, read within bounds: it may be a device, or anything.
import { open } from 'node:fs/promises'
import type { AlertRule } from '@blkin/relay'
import { checkFlag, UsageError } from '../options/exit.js'
import { loadRelay } from './load-relay.js'

/** The rules of a file that is full of them fit many times. */
const mostBytes = 2 ** 20

/** @throws UsageError naming the file, and in it the line, what was given and what is allowed */
export async function readAlerts(path: string): Promise<AlertRule[]> {
  const text = await read(path)
  const { parseAlerts } = await loadRelay()
  return checkFlag(`--alerts ${path}`, () => parseAlerts(text))
}

async function read(path: string): Promise<string> {
  const bytes = Buffer.alloc(mostBytes + 1)
  let length = 0
  try {
    const file = await open(path)
    try {
      for (let read = -1; read !== 0 && length <= mostBytes; length += read) {
        const result = await file.read(bytes, length, bytes.length - length)
        read = result.bytesRead
      }
    } finally {
      await file.close()
    }
  } catch (error) {
    throw new UsageError(`--alerts ${path}: ${(error as Error).message}; expected a file of rules`)
  }
  if (length > mostBytes) throw new UsageError(`--alerts ${path}: more than 1 MiB; expected a file of rules`)
  return bytes.toString('utf8', 0, length)
}
