// bench/js/relay.mjs FOLDER: a relay in a process of its own. Says its address; answers "stats" with its counts as JSON;
// ends with its stdin.
import { createInterface } from 'node:readline'
import { startRelay } from '../../relay/dist/index.js'

const relay = await startRelay({
  listen: '127.0.0.1:0',
  output: process.argv[2],
  log: (line) => console.error(line),
})
console.log(relay.address)
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'stats') console.log(JSON.stringify(relay.stats()))
}
await relay.close()
process.exit()
