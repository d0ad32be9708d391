// test/support/elf.ts: what a shared library asks for and gives, as the dynamic linker will see it. ELF of 64 bits,
// little-endian; only what tests ask for.
import { readFileSync } from 'node:fs'

export interface Library {
  needed: string[]
  /** Versions of other libraries' symbols, such as GLIBC_2.28. */
  versions: string[]
  exported: string[]
  imported: { name: string; weak: boolean }[]
  /** Asks for room in the thread's static block, as initial-exec does. */
  staticTls: boolean
  /** Restartable sequences: what the kernel reads of them, and the code around. */
  sequences: { start: bigint; code: Buffer; beforeAbort: Buffer }[]
  /** native/points.hpp: addresses by name. */
  points: Map<string, bigint[]>
}

interface Section {
  name: string
  type: number
  address: bigint
  bytes: Buffer
  link: number
}

const DYNAMIC = 6
const RELA = 4
const DYNSYM = 11
const VERNEED = 0x6ffffffe
const R_RELATIVE = [8n, 1027n] // x86-64, arm64

export function readLibrary(file: string): Library {
  const bytes = readFileSync(file)
  if (bytes.readUInt32BE(0) !== 0x7f454c46) throw new Error(`${file} is no ELF file`)
  const sections = readSections(bytes)
  const dynamic = [...entries(sections, DYNAMIC, 16)].map(({ at, names }) => ({
    tag: at.readBigInt64LE(0),
    value: at.readBigUInt64LE(8),
    name: () => names(Number(at.readBigUInt64LE(8))),
  }))
  const symbols = [...entries(sections, DYNSYM, 24)].slice(1).map(({ at, names }) => ({
    name: names(at.readUInt32LE(0)),
    weak: (at[4] as number) >> 4 === 2,
    defined: at.readUInt16LE(6) !== 0,
  }))
  return {
    needed: dynamic.filter(({ tag }) => tag === 1n).map(({ name }) => name()),
    versions: readVersions(sections),
    exported: symbols.filter(({ defined }) => defined).map(({ name }) => name),
    imported: symbols.filter(({ defined }) => !defined).map(({ name, weak }) => ({ name, weak })),
    staticTls: dynamic.some(({ tag, value }) => tag === 30n && (value & 0x10n) !== 0n),
    sequences: readSequences(sections),
    points: readPoints(sections),
  }
}

function readSections(bytes: Buffer): Section[] {
  const from = Number(bytes.readBigUInt64LE(40))
  const headers = Array.from({ length: bytes.readUInt16LE(60) }, (_, i) => bytes.subarray(from + i * 64))
  const contents = headers.map((at) => {
    const [offset, size] = [Number(at.readBigUInt64LE(24)), Number(at.readBigUInt64LE(32))]
    return at.readUInt32LE(4) === 8 ? Buffer.alloc(0) : bytes.subarray(offset, offset + size)
  })
  const names = contents[bytes.readUInt16LE(62)] as Buffer
  return headers.map((at, i) => ({
    name: textAt(names, at.readUInt32LE(0)),
    type: at.readUInt32LE(4),
    address: at.readBigUInt64LE(16),
    bytes: contents[i] as Buffer,
    link: at.readUInt32LE(40),
  }))
}

const textAt = (bytes: Buffer, from: number) => bytes.toString('latin1', from, bytes.indexOf(0, from))

/** Of sections of that type, piece by piece, with what looks names up in the section's strings. */
function* entries(sections: Section[], type: number, size: number) {
  for (const section of sections.filter((one) => one.type === type)) {
    const strings = sections[section.link]?.bytes as Buffer
    for (let at = 0; at + size <= section.bytes.length; at += size)
      yield { at: section.bytes.subarray(at), names: (from: number) => textAt(strings, from) }
  }
}

function readVersions(sections: Section[]): string[] {
  const section = sections.find(({ type }) => type === VERNEED)
  if (section === undefined) return []
  const strings = sections[section.link]?.bytes as Buffer
  const versions: string[] = []
  for (let at = 0, next = -1; next !== 0; at += next) {
    let one = at + section.bytes.readUInt32LE(at + 8)
    for (let i = 0; i < section.bytes.readUInt16LE(at + 2); i++) {
      versions.push(textAt(strings, section.bytes.readUInt32LE(one + 8)))
      one += section.bytes.readUInt32LE(one + 12)
    }
    next = section.bytes.readUInt32LE(at + 12)
  }
  return versions
}

/** Linux uapi, struct rseq_cs: version, flags, start, length, where to go on; addresses are relocated by the loader. */
function readSequences(sections: Section[]): Library['sequences'] {
  const table = sections.find(({ name }) => name === '__rseq_cs')
  if (table === undefined) return []
  const relocated = new Map<bigint, bigint>()
  for (const { at } of entries(sections, RELA, 24))
    if (R_RELATIVE.includes(at.readBigUInt64LE(8) & 0xffffffffn))
      relocated.set(at.readBigUInt64LE(0), at.readBigInt64LE(16))
  const codeAt = (from: bigint, size: number): Buffer => {
    const section = sections.find(
      ({ address, bytes }) => address > 0n && from >= address && from < address + BigInt(bytes.length),
    ) as Section
    const offset = Number(from - section.address)
    return section.bytes.subarray(offset, offset + size)
  }
  return Array.from({ length: table.bytes.length / 32 }, (_, i) => {
    const at = table.address + BigInt(i * 32)
    const start = relocated.get(at + 8n) as bigint
    const abort = relocated.get(at + 24n) as bigint
    const size = Number(table.bytes.readBigUInt64LE(i * 32 + 16))
    return { start, code: codeAt(start, size), beforeAbort: codeAt(abort - 4n, 4) }
  })
}

function readPoints(sections: Section[]): Library['points'] {
  const points: Library['points'] = new Map()
  const bytes = sections.find(({ name }) => name === '.blkin_points')?.bytes ?? Buffer.alloc(0)
  for (let at = 0; at + 8 < bytes.length; ) {
    const name = textAt(bytes, at + 8)
    points.set(name, [...(points.get(name) ?? []), bytes.readBigUInt64LE(at)])
    at = Math.ceil((at + 8 + name.length + 1) / 8) * 8
  }
  return points
}
