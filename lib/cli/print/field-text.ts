// lib/cli/print/field-text.ts: a field's type in words, as a declaration says it. Pure.
import type { TraceField } from '@blkin/relay'

const labelsShown = 6

/** "u32", "bool", "string", "enum(read, write)", "u8[4]", "u16[]" */
export function typeText({ type, labels, length }: TraceField): string {
  const bool = labels?.length === 2 && labels[0]?.[0] === 'false' && labels[1]?.[0] === 'true'
  const one = labels === undefined ? type : bool ? 'bool' : `enum(${labelText(labels.map(([name]) => name))})`
  return length === undefined ? one : `${one}[${length === 'counted' ? '' : length}]`
}

function labelText(names: string[]): string {
  const more = names.length - labelsShown
  return more > 0 ? `${names.slice(0, labelsShown).join(', ')}, ${more} more` : names.join(', ')
}
