// test/programs/emit-filtered.mjs FILE: declares and emits what FILE (v8.serialize of { events, filters }) says, each
// tracepoint switched on with the filter of its place, and prints why each filter was refused, or null.
import { readFileSync } from 'node:fs'
import { deserialize } from 'node:v8'
import { enable, flush, provider, t } from 'blkin'

const { events, filters } = deserialize(readFileSync(process.argv[2]))

function typeOf({ type, shape, length, labels }) {
  if (type === 'enum') return t.enum(labels)
  if (shape === 'array') return t.array(t[type], length)
  return shape === 'sequence' ? t.sequence(t[type]) : t[type]
}

const declarations = events.map(({ event, fields }) => [
  event,
  { fields: Object.fromEntries(fields.map((field) => [field.name, typeOf(field)])) },
])
const tracepoints = provider('filtered', Object.fromEntries(declarations))
const refused = filters.map((filter, i) => {
  try {
    enable(`filtered:${events[i].event}`, { filter })
    return null
  } catch (error) {
    return error.message
  }
})
for (const { event, values } of events) for (const one of values) tracepoints[event](one)
await flush()
console.log(JSON.stringify(refused))
