// relay/src/pipeline/store/names.ts: which services there are, their span names and whom they call, held in memory.
// The store adds each span's, the writer writes those that are new before their spans, and when old spans went the store
// says which are left. Names that a program makes up without end are bounded here: beyond MOST of them new ones are
// searchable, but not offered, and so are those longer than LONGEST characters.

import type { DuckDBConnection } from '@duckdb/node-api'
import { compare } from '../../spans/span.js'
import { hashOf } from './row.js'
import { rows } from './traces.js'

const MOST = 100_000
const LONGEST = 256

interface Service {
  names: Set<string>
  remotes: Set<string>
}

type Row = [service: string, name: string, remote: string]

export class Names {
  #services = new Map<string, Service>()
  #count = 0
  #fresh: Row[] = []

  /** Reads those of the file. */
  async open(connection: DuckDBConnection): Promise<void> {
    await connection.run(
      'CREATE TABLE IF NOT EXISTS names (service VARCHAR NOT NULL, name VARCHAR NOT NULL, remote VARCHAR NOT NULL)',
    )
    for (const row of await rows<Row>(connection, 'SELECT service, name, remote FROM names')) this.add(...row)
    this.#fresh = []
  }

  add(service: string, name: string, remote: string): void {
    if (service === '' || service.length > LONGEST) return
    const before = this.#count
    let known = this.#services.get(service)
    if (known === undefined) {
      if (this.#count >= MOST) return
      this.#count++
      known = { names: new Set(), remotes: new Set() }
      this.#services.set(service, known)
    }
    this.#addTo(known.names, name)
    this.#addTo(known.remotes, remote)
    if (this.#count > before) this.#fresh.push([service, name, remote])
  }

  services(): string[] {
    return [...this.#services.keys()].sort(compare)
  }

  names(service: string): string[] {
    return [...(this.#services.get(service.toLowerCase())?.names ?? [])].sort(compare)
  }

  remotes(service: string): string[] {
    return [...(this.#services.get(service.toLowerCase())?.remotes ?? [])].sort(compare)
  }

  /** New ones into the file. */
  async flush(connection: DuckDBConnection): Promise<void> {
    if (this.#fresh.length === 0) return
    const fresh = this.#fresh
    this.#fresh = []
    const appender = await connection.createAppender('names')
    for (const row of fresh) {
      for (const text of row) appender.appendVarchar(text)
      appender.endRow()
    }
    appender.closeSync()
  }

  /** Forgets those that no span in the file has; what was added is in the file. */
  async sweep(connection: DuckDBConnection): Promise<void> {
    const left = new Set<string>()
    const all = 'SELECT DISTINCT service_hash, name_hash, remote_hash FROM spans'
    for (const [service, name, remote] of await rows<[number, number, number]>(connection, all)) {
      left.add(`${service}`).add(`${service} name ${name}`).add(`${service} remote ${remote}`)
    }
    const before = this.#services
    this.#services = new Map()
    this.#count = 0
    for (const [service, { names, remotes }] of before) {
      const key = hashOf(service)
      if (!left.has(`${key}`)) continue
      this.add(service, '', '')
      for (const name of names) if (left.has(`${key} name ${hashOf(name)}`)) this.add(service, name, '')
      for (const name of remotes) if (left.has(`${key} remote ${hashOf(name)}`)) this.add(service, '', name)
    }
    await connection.run('BEGIN')
    await connection.run('DELETE FROM names')
    await this.flush(connection)
    await connection.run('COMMIT')
  }

  #addTo(set: Set<string>, name: string): void {
    if (name === '' || name.length > LONGEST || set.has(name) || this.#count >= MOST) return
    set.add(name)
    this.#count++
  }
}
