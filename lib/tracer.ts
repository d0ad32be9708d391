// lib/tracer.ts: the tracer of this thread: this copy's own, or that of the copy which came first.
import * as api from './api.js'
import { elsewhere, publish, type Tracer } from './copies.js'
import { environmentInstruments } from './environment.js'
import { native } from './native.js'
import { instrument } from './trace/instrument.js'
import { version } from './version.js'

function own(): Tracer {
  const begin = () => void instrument(...environmentInstruments())
  const tracer = Object.freeze({ version, native, api, begin })
  if (native !== undefined) publish(tracer) // one without an addon does nothing: whoever comes later may have it
  return tracer
}

export const tracer: Tracer = elsewhere ?? own()
