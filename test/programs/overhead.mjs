// test/programs/overhead.mjs dear|never|serve [PORT]: for `blkin overhead`. dear: tracepoints that cost more than all the rest of it while
// they are on; never: one that is never hit; serve: a server whose requests have dear ones, says "serving PORT".
import { createServer } from 'node:http'
import { provider, t } from 'blkin'

const { dear, never } = provider('overhead', { dear: { fields: { text: t.string } }, never: {} })
const [what, port = '0'] = process.argv.slice(2)

let x = 1
function work(turns) {
  let y = x
  for (let i = 0; i < turns; i++) y = (Math.imul(y, 1664525) + 1013904223) >>> 0
  x = y
  return y
}

/** A text of 300 letters that took some 50 us to make. */
const made = () => `${work(40_000)}`.repeat(30)

if (what === 'serve') {
  const server = createServer((_, response) => {
    for (let i = 0; i < 10; i++) dear({ text: made() })
    response.end('ok')
  })
  server.listen(Number(port), '127.0.0.1', () => console.log(`serving ${server.address().port}`))
} else {
  for (let i = 0; i < 100; i++) {
    work(100_000)
    for (let j = 0; what === 'dear' && j < 40; j++) dear({ text: made() })
    if (x === 0) never()
  }
  console.log(`${what} has worked`)
  process.exitCode = Number(process.env.OVERHEAD_EXIT ?? 0)
}
