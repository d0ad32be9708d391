// lib/trace/instrument.ts: makes spans of what Node.js itself tells about requests and connections. Nothing is patched:
// diagnostics_channel says when, and listeners that change nothing say how it ended.
import { listen } from './channels.js'
import { httpClient } from './instrument-http-client.js'
import { httpServer } from './instrument-http-server.js'
import { checkInstrument, type Instrument } from './instrument-names.js'
import { net } from './instrument-net.js'
import { undici } from './instrument-undici.js'

const subscribers = {
  http: [httpServer, httpClient],
  fetch: [undici],
  net: [net],
}

/** Those that are on, so that nothing is told twice. */
const on = new Map<Instrument, () => void>()

/**
 * Makes spans of HTTP requests served and sent (`http`), of those sent by fetch and undici (`fetch`), and of connections
 * (`net`), in this thread. What is on already stays on.
 *
 * @returns what switches them off again
 * @throws TypeError (ERR_BLKIN_INSTRUMENT) for a name that is none of these
 */
export function instrument(...names: Instrument[]): () => void {
  const fresh = [...new Set(names.map(checkInstrument))].filter((name) => !on.has(name))
  for (const name of fresh) {
    const ends = subscribers[name].map(listen)
    on.set(name, () => {
      for (const end of ends) end()
    })
  }
  return () => {
    for (const name of fresh) {
      on.get(name)?.()
      on.delete(name)
    }
  }
}
