// lib/tracer.ts: the tracer of this thread: this copy's own, or that of the copy which came first.
import * as api from './api.js'
import { elsewhere, publish, type Tracer } from './copies.js'
import { environmentInstruments, environmentTransforms } from './environment.js'
import { native } from './native.js'
import { makeStatic } from './static-calls.js'
import { instrument } from './trace/instrument.js'
import { version } from './version.js'

function own(): Tracer {
  const begin = () => {
    instrument(...environmentInstruments())
    if (environmentTransforms()) makeStatic((process.env.BLKIN_DEBUG ?? '').split(',').includes('transform'))
  }
  const tracer = Object.freeze({ version, native, api, begin })
  if (native !== undefined) publish(tracer) // one without an addon does nothing: whoever comes later may have it
  return tracer
}

export const tracer: Tracer = elsewhere ?? own()
