// test/matrix/recoverer.mjs: brings what dead processes left to the relay of BLKIN_RELAY, once a line came on stdin: so that it can be made to
// die at a chosen point.
import { createInterface } from 'node:readline'
import { native } from '../../dist/native.js'

console.log('loaded')
const lines = createInterface({ input: process.stdin })
await new Promise((resolve) => lines.once('line', resolve))
lines.close()
const [host, port] = process.env.BLKIN_RELAY.split(':')
await native.recover({ host, port, token: '', since: 0n, timeout: 5000 })
