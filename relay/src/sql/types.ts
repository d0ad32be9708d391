// relay/src/sql/types.ts: which type of DuckDB's a field's values have, and the one that holds those of two fields. Pure.
// tables.ts asks; columns.ts has the storage of each.

import { isBool } from '../ctf/decode.js'
import type { Scalar, TraceField } from '../ctf/model.js'

/** DuckDB's names. */
export type ColumnBase =
  | 'UTINYINT'
  | 'USMALLINT'
  | 'UINTEGER'
  | 'UBIGINT'
  | 'TINYINT'
  | 'SMALLINT'
  | 'INTEGER'
  | 'BIGINT'
  | 'HUGEINT'
  | 'FLOAT'
  | 'DOUBLE'
  | 'BOOLEAN'
  | 'VARCHAR'
  | 'BLOB'
  | 'TIMESTAMP_NS'

export interface ColumnType {
  base: ColumnBase
  list: boolean
}

const OF_SCALAR: Record<Scalar, ColumnBase> = {
  u8: 'UTINYINT',
  u16: 'USMALLINT',
  u32: 'UINTEGER',
  u64: 'UBIGINT',
  i8: 'TINYINT',
  i16: 'SMALLINT',
  i32: 'INTEGER',
  i64: 'BIGINT',
  f32: 'FLOAT',
  f64: 'DOUBLE',
  string: 'VARCHAR',
  bytes: 'BLOB',
}

const UNSIGNED: ColumnBase[] = ['UTINYINT', 'USMALLINT', 'UINTEGER', 'UBIGINT']
const SIGNED: ColumnBase[] = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']

/** An enum is its label, and an id its hexadecimal digits, as `blkin view --json` has them. */
export function typeOf(field: TraceField): ColumnType {
  const list = field.length !== undefined
  if (isBool(field)) return { base: 'BOOLEAN', list }
  if (field.labels || field.base === 16) return { base: 'VARCHAR', list }
  return { base: OF_SCALAR[field.type], list }
}

/** Where two declarations of one name have a field of one name: exact for whole numbers, else the values' text. */
export function unite(a: ColumnType, b: ColumnType): ColumnType {
  if (a.base === b.base && a.list === b.list) return a
  if (a.list || b.list) return { base: 'VARCHAR', list: false }
  const bases = [a.base, b.base]
  if (bases.every((base) => base === 'FLOAT' || base === 'DOUBLE')) return { base: 'DOUBLE', list: false }
  const whole = [...UNSIGNED, ...SIGNED, 'HUGEINT']
  if (!bases.every((base) => whole.includes(base))) return { base: 'VARCHAR', list: false }
  if (bases.every((base) => UNSIGNED.includes(base))) return { base: 'UBIGINT', list: false }
  const fits = bases.every((base) => base !== 'UBIGINT' && base !== 'HUGEINT')
  return { base: fits ? 'BIGINT' : 'HUGEINT', list: false }
}
