// relay/test/relay-child.mjs OUTPUT [HTTP]: a relay in a process of its own, for a test that kills it or bounds what it may write.
// Prints its address, and behind it that of its API, where it was told to have one.

import { startRelay } from '../dist/index.js'

const [output, http] = process.argv.slice(2)
const tracing = http === undefined ? {} : { tracing: { listen: http } }
const relay = await startRelay({ listen: '127.0.0.1:0', output, log: console.error, ...tracing })
console.log([relay.address, relay.httpAddress ?? []].flat().join(' '))
