// test/programs/relay.mjs LISTEN OUTPUT SOCKET: a relay in a process of its own, to be killed. Says when it listens.
import { startRelay } from '@blkin/relay'

const [listen, output, socket] = process.argv.slice(2)
await (await startRelay({ listen, output })).listenAtSocket(socket)
console.log('listening')
