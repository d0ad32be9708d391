// test/programs/session-turns.mjs: two tracepoints in turn, each wanted by a session of its own; then one of the
// sessions ends, and another takes its place; then events during which they are switched off, by a field that is read.
// Prints what the relay has said is stored, by session.
import { flush, openSession, provider, status, t } from 'blkin'

const { a, b } = provider('turns', { a: { fields: { n: t.u32 } }, b: { fields: { n: t.u32 } } })
const stored = (name) => status().sessions.find((one) => one.name === name)?.relay.acknowledged
const emit = (count) => {
  for (let n = 0; n < count; n++) {
    a({ n })
    b({ n })
  }
}

const first = openSession('first')
openSession('second').enable('turns:b')
first.enable('turns:a')
emit(1000)
await flush()
const before = { first: stored('first'), second: stored('second') }
await first.close()
emit(100)
const third = openSession('third')
third.enable('turns:a')
emit(10)
for (const options of [{}, { filter: 'n < 10' }, { sample: '1/2' }]) {
  for (let n = 0; n < 1000; n++) {
    const { disable } = third.enable('turns:a', options)
    a({
      get n() {
        disable()
        third.disable('turns:a')
        return 1
      },
    })
  }
}
await flush()
console.log(JSON.stringify({ before, after: { second: stored('second'), third: stored('third') } }))
