// test/programs/shop.mjs [kill]: declared spans and free-form ones that come often, for trace-declared.test.ts and
// trace-frequent.test.ts. `kill`: SIGKILL comes between the beginnings and the ends of the last two.
import { flush, spans, status, t, trace } from 'blkin'

const shop = spans('shop', {
  checkout: {
    kind: 'server',
    tags: { cart: t.u32, user: t.string, 'http.route': t.string, span: t.bool },
    end: { total: t.f64, big: t.u64 },
    annotations: { paid: {}, sent: { bytes: t.u32, to: t.enum(['home', 'work']) } },
  },
  reserve: { kind: 'client' },
})
const values = { cart: 7, user: 'ada', 'http.route': '/cart/:id', span: true }
const caller = { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' }

const checkout = shop.checkout(values, { parent: trace.extract(caller, 'traceparent') })
trace.run(checkout, () => {
  const reserve = shop.reserve()
  reserve.tag('free', 1)
  reserve.end()
  trace.start('free-form').end()
})
checkout.paid()
checkout.sent({ bytes: 9, to: 'work' })
checkout.annotate('of any text')
checkout.rename('pay')
checkout.end({ total: 9.5, big: 2n ** 60n })
checkout.end({ total: 1, big: 0 })
checkout.paid()

// Of other types than declared: told all the same, and counted.
const wrong = shop.checkout({ ...values, cart: 'x', user: null })
wrong.sent({ bytes: 'many', to: 'home' })
wrong.end({ total: 'no', big: 1 })

for (let i = 0; i < 200; i++) {
  const span = trace.start('GET /users/:id', {
    kind: 'server',
    tags: { 'http.request.method': 'GET', bytes: i, cached: i % 2 === 0 },
  })
  span.tag('user', `u${i}`)
  span.tag('status', 200)
  span.end()
}
console.log(
  JSON.stringify({ spans: status().spans, declared: status().tracepoints.declared, stored: await flush() }),
)

if (process.argv[2] === 'kill') {
  shop.checkout({ ...values, user: 'killed' })
  trace.start('GET /users/:id', {
    kind: 'server',
    tags: { 'http.request.method': 'GET', bytes: 4711, cached: true },
  })
  process.kill(process.pid, 'SIGKILL')
}
