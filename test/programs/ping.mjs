// test/programs/ping.mjs TURNS COMMAND...: plays ping-pong over pipes with a child: emits an event with the number of the
// turn (0, 2, 4 ...), sends a byte, and waits for the answer.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { provider, status, t } from 'blkin'

const { turn } = provider('ping', { turn: { fields: { n: t.u32 } } })
const [turns, command, ...rest] = process.argv.slice(2)
const other = spawn(command, rest, { stdio: ['pipe', 'pipe', 'inherit'] })
await once(other.stdout, 'data')
for (let n = 0; n < Number(turns); n += 2) {
  turn({ n })
  other.stdin.write('x')
  await once(other.stdout, 'data')
}
other.stdin.end()
await once(other, 'exit')
console.log(JSON.stringify(status()))
