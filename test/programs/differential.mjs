// test/programs/differential.mjs: emits every odd value for every type of field through a generated emitter and through
// the closure that takes its place where code generation is forbidden. Prints how often, and what was lost.
import { flush, provider, status, t } from 'blkin'
import { closureEmitter } from '../../dist/closure.js'
import { native } from '../../dist/native.js'
import { canonical, checkEvent } from '../../dist/schema.js'
import { oddValues } from './odd-values.mjs'

const numbers = ['u8', 'u16', 'u32', 'u64', 'i8', 'i16', 'i32', 'i64', 'f32', 'f64']
const types = {
  ...Object.fromEntries(numbers.map((name) => [name, t[name]])),
  ...Object.fromEntries(numbers.map((name) => [`${name}_array`, t.array(t[name], 3)])),
  ...Object.fromEntries(numbers.map((name) => [`${name}_sequence`, t.sequence(t[name])])),
  bool: t.bool,
  string: t.string,
  bytes: t.bytes,
  few: t.enum(['a', '__proto__', '1']),
  many: t.enum(Array.from({ length: 30 }, (_, i) => `${i}`)),
}
const declarations = Object.fromEntries(
  Object.entries(types).map(([name, type]) => [
    name,
    { fields: { before: t.u32, value: type, after: t.u32 } },
  ]),
)
const generated = provider('generated', declarations)
provider('closure', declarations)

let emitted = 0
for (const [event, declaration] of Object.entries(declarations)) {
  const schema = checkEvent('closure', event, declaration)
  const { provider: name, level, fields } = schema
  const form = canonical(schema)
  const id = native.declare({ provider: name, event: `${event}`, level, fields: [...fields], schema: form })
  const mixed = fields.some((field) => field.type === 12 || field.type === 14 || field.shape === 2)
  const commit = mixed ? native.mixedEmitter(id) : native.emit
  const on = new Uint16Array(native.flags()).subarray(id, id + 1)
  const closure = closureEmitter(id, schema, on, commit, () => native.refuse(id))
  for (const make of oddValues) {
    for (const emit of [generated[event], closure]) {
      emit({ before: 0xaaaaaaaa, value: make(), after: 0xbbbbbbbb })
      emitted++
    }
  }
  await flush()
}
console.log(JSON.stringify({ emitted, lost: status().lost }))
