// test/programs/two-channels.mjs SPANS EVENTS END: SPANS spans one after the other, and EVENTS ordinary events within each,
// for trace-channel.test.ts. Prints how many events were emitted in each channel and what was lost in all; then ends in the
// way END: natural, or kill.
import { writeSync } from 'node:fs'
import { provider, status, t, trace } from 'blkin'

const { flood } = provider('app', { flood: { fields: { n: t.u32, text: t.string } } })
const [spans, events] = process.argv.slice(2, 4).map(Number)
const emitted = { events: 0, spans: 0 }
for (let i = 0; i < spans; i++) {
  const span = trace.start('work')
  for (let n = 0; n < events; n++) flood({ n: emitted.events++, text: 'nothing that anybody needs' })
  span.tag('work', i)
  span.end()
  emitted.spans += 3
}
const { lost, buffers } = status()
const rings = buffers.rings.map(({ channel, stream }) => ({ channel, stream }))
writeSync(1, `${JSON.stringify({ emitted, lost, rings })}\n`)
if (process.argv[4] === 'kill') process.kill(process.pid, 'SIGKILL')
