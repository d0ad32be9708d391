// test/programs/steady.mjs [ACK [MODE]]: emits 200 events every 5 ms until a line comes on stdin, then delivers all, and prints how many
// there were, what was lost, and whether all was delivered. ACK: that of the session it opens for it, `written` or `synced`; MODE: that of its rings.
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { flush, openSession, provider, status, t } from 'blkin'

const { event } = provider('steady', { event: { fields: { n: t.u32, text: t.string } } })
const [ack = 'written', mode = 'discard'] = process.argv.slice(2)
const session = openSession('steady', { relay: process.env.STEADY_RELAY, ack, mode })
session.enable('steady:*')
let emitted = 0
const until = async (holds) => {
  while (!holds()) await sleep(5)
}
const timer = setInterval(() => {
  for (let i = 0; i < 200; i++) event({ n: emitted++, text: `event ${emitted}` })
}, 5)
await until(() => emitted > 2000)
console.log('emitting')
await once(process.stdin, 'data')
clearInterval(timer)
const flushed = await flush(20_000)
const { lost } = status().sessions.find(({ name }) => name === 'steady')
console.log(JSON.stringify({ emitted, lost, flushed }))
process.exit()
