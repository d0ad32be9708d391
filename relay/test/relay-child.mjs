// relay/test/relay-child.mjs OUTPUT: a relay in a process of its own, for a test that kills it. Prints its address.

import { startRelay } from '../dist/index.js'

const relay = await startRelay({ listen: '127.0.0.1:0', output: process.argv[2] })
console.log(relay.address)
