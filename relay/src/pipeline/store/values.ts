// relay/src/pipeline/store/values.ts: the values that tags of certain keys have had, offered for completion.
// The store adds each span. Only keys it was asked for are kept, and MOST values of each.

import type { DuckDBConnection } from '@duckdb/node-api'
import { compare, type Span } from '../../spans/span.js'
import { rows } from './traces.js'

const MOST = 10_000
/** Longer ones are searchable, but not offered. */
const LONGEST = 256

export class Values {
  readonly #known: Map<string, Set<string>>
  #fresh: [key: string, value: string][] = []

  private constructor(
    readonly connection: DuckDBConnection,
    readonly keys: string[],
  ) {
    this.#known = new Map(keys.map((key) => [key, new Set()]))
  }

  static async open(connection: DuckDBConnection, keys: string[]): Promise<Values> {
    await connection.run('CREATE TABLE IF NOT EXISTS tag_values (key VARCHAR, value VARCHAR)')
    const values = new Values(connection, keys)
    const all = await rows<[string, string]>(connection, 'SELECT DISTINCT key, value FROM tag_values')
    for (const [key, value] of all) values.#known.get(key)?.add(value)
    return values
  }

  add({ tags }: Span): void {
    if (tags === undefined) return
    for (const [key, known] of this.#known) {
      const value = Object.hasOwn(tags, key) ? tags[key] : undefined
      if (value === undefined || known.has(value) || known.size >= MOST || value.length > LONGEST) continue
      known.add(value)
      this.#fresh.push([key, value])
    }
  }

  of(key: string): string[] {
    return [...(this.#known.get(key) ?? [])].sort(compare)
  }

  /** Into the file, so that they are there when the relay starts again. */
  async flush(): Promise<void> {
    const fresh = this.#fresh
    this.#fresh = []
    if (fresh.length === 0) return
    const appender = await this.connection.createAppender('tag_values')
    for (const [key, value] of fresh) {
      appender.appendVarchar(key)
      appender.appendVarchar(value)
      appender.endRow()
    }
    appender.closeSync()
  }
}
