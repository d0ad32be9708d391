// test/programs/relay.mjs LISTEN OUTPUT: a relay in a process of its own, to be killed. Says when it listens.
import { startRelay } from '@blkin/relay'

const [listen, output] = process.argv.slice(2)
await startRelay({ listen, output })
console.log('listening')
