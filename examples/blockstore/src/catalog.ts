// catalog.ts: the durable truth: which volumes there are and which object stands at each index of each.
// A journal of records, one a line: the CRC-32 of the JSON in hexadecimal, a space, the JSON. A record counts once
// append() has resolved. Opening replays the journal and rewrites it compactly; a last line cut short by a crash is
// dropped, damage anywhere else is an error. pool.ts keeps the live state, which may be ahead of this one.

import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import path from 'node:path'
import { crc32 } from 'node:zlib'

/** Index to object name; null takes the index out of the map. */
export type MapChanges = Record<string, string | null>

/** Store processes of our own, or FSID/POOL of a RADOS cluster. */
export type CatalogLayout = { stores: number; replicas: number } | { rados: string }

export type CatalogRecord =
  | ({ kind: 'layout' } & CatalogLayout)
  | { kind: 'create'; volume: string; size: number; readonly?: boolean; map?: MapChanges }
  | { kind: 'copy'; volume: string; of: string; readonly: boolean }
  | { kind: 'map'; changes: Record<string, MapChanges> }
  | { kind: 'out'; store: number }
  | { kind: 'in'; store: number }

export interface CatalogVolume {
  readonly name: string
  readonly size: number
  /** Snapshots are. */
  readonly readonly: boolean
  readonly map: Map<number, string>
}

const FILE = 'catalog'
const COMPACT_FROM = 16 * 1024 * 1024

export class Catalog {
  readonly volumes = new Map<string, CatalogVolume>()
  /** Stores that missed a change. */
  readonly out = new Set<number>()
  layout: CatalogLayout | undefined

  readonly #dir: string
  #file!: FileHandle
  #length = 0
  #compactLength = 0
  #tail: Promise<unknown> = Promise.resolve()

  static async open(dir: string): Promise<Catalog> {
    const catalog = new Catalog(dir)
    await catalog.#replay()
    await catalog.#compact()
    return catalog
  }

  private constructor(dir: string) {
    this.#dir = dir
  }

  /** Resolves once the record is durable. Records are kept in the order of the calls. */
  append(record: CatalogRecord): Promise<void> {
    const done = this.#tail.then(() => this.#write(record))
    this.#tail = done.catch(() => undefined)
    return done
  }

  async close(): Promise<void> {
    await this.#tail
    await this.#file.close()
  }

  async #write(record: CatalogRecord): Promise<void> {
    const line = toLine(record)
    // At a position, not appended: what a failed write left behind is written over by the next.
    for (let done = 0; done < line.length; ) {
      done += (await this.#file.write(line, done, line.length - done, this.#length + done)).bytesWritten
    }
    await this.#file.datasync()
    this.#length += line.length
    this.#apply(record)
    if (this.#length > COMPACT_FROM && this.#length > 2 * this.#compactLength) await this.#compact()
  }

  #apply(record: CatalogRecord): void {
    switch (record.kind) {
      case 'layout': {
        const { kind: _, ...layout } = record
        this.layout = layout
        break
      }
      case 'create': {
        const { volume: name, size, readonly = false, map = {} } = record
        this.volumes.set(name, { name, size, readonly, map: new Map() })
        this.#change(name, map)
        break
      }
      case 'copy': {
        const { size, map } = this.#volume(record.of)
        const { volume: name, readonly } = record
        this.volumes.set(name, { name, size, readonly, map: new Map(map) })
        break
      }
      case 'map':
        for (const [name, changes] of Object.entries(record.changes)) this.#change(name, changes)
        break
      case 'out':
        this.out.add(record.store)
        break
      case 'in':
        this.out.delete(record.store)
        break
    }
  }

  #change(name: string, changes: MapChanges): void {
    const { map } = this.#volume(name)
    for (const [index, object] of Object.entries(changes)) {
      if (object === null) map.delete(Number(index))
      else map.set(Number(index), object)
    }
  }

  #volume(name: string): CatalogVolume {
    const volume = this.volumes.get(name)
    if (volume === undefined)
      throw new Error(`catalog: a record names volume "${name}", which was never created`)
    return volume
  }

  async #replay(): Promise<void> {
    const file = path.join(this.#dir, FILE)
    const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return ''
      throw error
    })
    const lines = text.split('\n')
    const last = lines.findLastIndex((line) => line !== '')
    for (const [i, line] of lines.entries()) {
      if (line === '') continue
      const record = fromLine(line)
      if (record !== undefined) this.#apply(record)
      else if (i !== last)
        throw new Error(`${file}: line ${i + 1} is damaged and not the last: refusing to guess`)
    }
  }

  async #compact(): Promise<void> {
    const records: CatalogRecord[] = []
    if (this.layout !== undefined) records.push({ kind: 'layout', ...this.layout })
    for (const store of this.out) records.push({ kind: 'out', store })
    for (const { name, size, readonly, map } of this.volumes.values()) {
      records.push({ kind: 'create', volume: name, size, readonly, map: Object.fromEntries(map) })
    }
    const target = path.join(this.#dir, FILE)
    const bytes = Buffer.concat(records.map(toLine))
    const file = await open(`${target}.new`, 'w')
    try {
      await file.writeFile(bytes)
      await file.datasync()
      await rename(`${target}.new`, target)
      await syncDirectory(this.#dir)
    } catch (error) {
      await file.close()
      throw error
    }
    await this.#file?.close()
    this.#file = file
    this.#length = this.#compactLength = bytes.length
  }
}

function toLine(record: CatalogRecord): Buffer {
  const json = JSON.stringify(record)
  return Buffer.from(`${crc32(json).toString(16).padStart(8, '0')} ${json}\n`)
}

/** undefined for a line that is not whole. */
function fromLine(line: string): CatalogRecord | undefined {
  const json = line.slice(9)
  return crc32(json).toString(16).padStart(8, '0') === line.slice(0, 8) ? JSON.parse(json) : undefined
}

async function syncDirectory(dir: string): Promise<void> {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
