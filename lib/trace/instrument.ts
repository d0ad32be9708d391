// lib/trace/instrument.ts: makes spans of what Node.js itself tells about requests and connections, through
// diagnostics_channel. No module or prototype is patched; listeners that change nothing say how it ended.
import { listen } from './channels.js'
import { monitorExceptions } from './exceptions.js'
import { frameworks } from './instrument-frameworks.js'
import { httpClient } from './instrument-http-client.js'
import { httpServer } from './instrument-http-server.js'
import { http2 } from './instrument-http2.js'
import { checkInstrument, type Instrument } from './instrument-names.js'
import { net } from './instrument-net.js'
import { undici } from './instrument-undici.js'

/** What begins each, and gives what ends it. */
const begin: Record<Instrument, () => (() => void)[]> = {
  http: () => [...[httpServer, httpClient, http2, frameworks].map(listen), monitorExceptions()],
  fetch: () => [listen(undici)],
  net: () => [listen(net)],
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
    const ends = begin[name]()
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
