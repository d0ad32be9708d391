// test/programs/emit-values.mjs FILE: declares and emits what FILE (v8.serialize of EventSpec[]) says, in that order,
// and prints what was lost.
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import { flush, provider, status, t } from 'blkin'

const events = deserialize(readFileSync(process.argv[2]))

function typeOf({ type, shape, length, labels }) {
  if (type === 'enum') return t.enum(labels)
  if (shape === 'array') return t.array(t[type], length)
  return shape === 'sequence' ? t.sequence(t[type]) : t[type]
}

const declarations = events.map(({ event, fields }) => [
  event,
  { fields: Object.fromEntries(fields.map((field) => [field.name, typeOf(field)])) },
])
const tracepoints = provider('values', Object.fromEntries(declarations))
for (const { event, values } of events) for (const one of values) tracepoints[event](one)
await flush()
console.log(JSON.stringify(status().lost))
