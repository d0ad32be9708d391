// test/support/recover.ts: brings what dead processes left to the relay that they sent to.
import { join } from 'node:path'
import { root } from './run.js'

/** The text of a program that does so with BLKIN_RELAY's, and prints what it found. */
export const recover = `
  import { native } from '${join('file://', root, 'dist/native.js')}'
  const [host, port] = process.env.BLKIN_RELAY.split(':')
  const recovered = await native.recover({ host, port, token: '', since: 0n, timeout: 5000 })
  console.log(JSON.stringify(recovered.map(({ events, delivered, error }) => ({ events, delivered, error }))))`
