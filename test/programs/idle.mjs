// test/programs/idle.mjs: declares a few tracepoints and emits each of them once a message on stdin; else it does nothing.
// Says "ready", and after each message how many times it emitted so far.
import { provider, t } from 'blkin'

const idle = provider('idle', {
  one: { level: 'info', fields: { n: t.u32, text: t.string } },
  two: { level: 'debug', fields: { n: t.u32 } },
})

let n = 0
process.stdin.on('data', (data) => {
  for (const _ of data.toString()) {
    idle.one({ n, text: `text ${n}` })
    idle.two({ n })
    n++
  }
  console.log(`emitted ${n}`)
})
console.log('ready')
