// test/programs/wrong-values.mjs: gives every kind of field every odd value, between a marker before and a string
// after it, and calls with no proper object at all. Prints what threw (nothing should), and the losses.
import { flush, provider, status, t } from 'blkin'
import { oddValues } from './odd-values.mjs'

const numbers = ['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64']
const types = {
  ...Object.fromEntries(numbers.map((name) => [name, t[name]])),
  ...Object.fromEntries(numbers.map((name) => [`${name}_array`, t.array(t[name], 3)])),
  ...Object.fromEntries(numbers.map((name) => [`${name}_sequence`, t.sequence(t[name])])),
  bool: t.bool,
  string: t.string,
  bytes: t.bytes,
  few: t.enum({ a: -5, b: 7 }),
  many: t.enum(Array.from({ length: 30 }, (_, i) => `l${i}`)),
}
const tracepoints = provider('wrong', {
  marker: { fields: { n: t.u32 } },
  ...Object.fromEntries(
    Object.entries(types).map(([name, value]) => [
      name,
      { fields: { before: t.u32, value, after: t.string } },
    ]),
  ),
})

const threw = []
let emitted = 0
function call(name, emit) {
  emitted++
  try {
    emit()
  } catch (error) {
    threw.push(`${name}: ${error}`)
  }
}

for (const name of Object.keys(types)) {
  const event = tracepoints[name]
  for (const [i, make] of oddValues.entries()) {
    const value = make()
    call(`${name} value ${i}`, () => event({ before: 0xaaaaaaaa, value, after: 'after' }))
  }
  const wholes = [
    undefined,
    null,
    1,
    'text',
    Symbol('s'),
    [],
    () => 1,
    {},
    Object.create(null),
    new Proxy(
      {},
      {
        get() {
          throw new Error('from the caller')
        },
      },
    ),
  ]
  for (const whole of wholes) call(`${name} whole`, () => event(whole))
  call(`${name} nothing`, () => event())
  call(`${name} getter`, () =>
    event({
      before: 1,
      get value() {
        throw new Error('from the caller')
      },
      after: '',
    }),
  )
  call('marker', () => tracepoints.marker({ n: emitted }))
  await flush()
}
console.log(JSON.stringify({ threw: threw.slice(0, 10), emitted, lost: status().lost }))
