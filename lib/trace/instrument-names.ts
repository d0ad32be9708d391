// lib/trace/instrument-names.ts: what spans can be made of by itself, as BLKIN_TRACE and trace.instrument() name it. Pure.
import { show } from '../show.js'

export const instrumentNames = ['http', 'fetch', 'net'] as const

export type Instrument = (typeof instrumentNames)[number]

/** @throws TypeError (ERR_BLKIN_INSTRUMENT) naming what was given. */
export function checkInstrument(name: unknown): Instrument {
  if ((instrumentNames as readonly unknown[]).includes(name)) return name as Instrument
  const error = new TypeError(`${show(name)}: expected some of ${instrumentNames.join(', ')}`)
  throw Object.assign(error, { code: 'ERR_BLKIN_INSTRUMENT' })
}
