// lib/filter/encode.ts: a filter's tree as the bytes that go to traced processes: docs/filter.md draws them, and
// native/control/filter_program.cc reads them. Fields and contexts stand by name, so that the bytes fit whatever is
// declared later. Pure.
import { FilterError } from './error.js'
import { type Node, programMax } from './tree.js'

/** native/control/filter_program.hpp has the same. */
export const tags = {
  unsigned: 0x01, signed: 0x02, float: 0x03, text: 0x04,
  field: 0x10, element: 0x11, context: 0x12,
  '!': 0x20, '-': 0x21, '+': 0x22, '~': 0x23,
  '==': 0x30, '!=': 0x31, '<': 0x32, '<=': 0x33, '>': 0x34, '>=': 0x35,
  '<<': 0x40, '>>': 0x41,
  '&&': 0x50, '||': 0x51, '&': 0x52, '|': 0x53, '^': 0x54,
} as const // biome-ignore format: a table

export const programVersion = 1

function little(bytes: number, set: (view: DataView) => void): number[] {
  const buffer = new ArrayBuffer(bytes)
  set(new DataView(buffer))
  return [...new Uint8Array(buffer)]
}

const u16 = (value: number) => [value & 0xff, value >> 8]
const named = (tag: number, name: string) => [tag, name.length, ...Buffer.from(name)]

function bytesOf(node: Node, out: number[]): void {
  switch (node.kind) {
    case 'integer':
      out.push(
        node.value < 0n ? tags.signed : tags.unsigned,
        ...little(8, (view) => view.setBigInt64(0, node.value, true)),
      )
      break
    case 'float':
      out.push(tags.float, ...little(8, (view) => view.setFloat64(0, node.value, true)))
      break
    case 'text': {
      const text = Buffer.from(node.parts.join('\0'))
      out.push(tags.text, ...u16(text.length), ...text)
      break
    }
    case 'field':
      if (node.index === undefined) out.push(...named(tags.field, node.name))
      else
        out.push(
          ...named(tags.element, node.name),
          ...little(4, (view) => view.setUint32(0, node.index!, true)),
        )
      break
    case 'context':
      out.push(...named(tags.context, node.name))
      break
    case 'unary':
      out.push(tags[node.operator])
      bytesOf(node.operand, out)
      break
    case 'binary':
      out.push(tags[node.operator])
      bytesOf(node.left, out)
      bytesOf(node.right, out)
      break
    case 'joined':
      out.push(tags[node.operator], ...u16(node.operands.length))
      for (const operand of node.operands) bytesOf(operand, out)
      break
  }
}

/** @throws FilterError where the program is larger than a traced process takes. */
export function encode(filter: string, root: Node): Uint8Array {
  const out: number[] = [programVersion]
  bytesOf(root, out)
  if (out.length > programMax)
    throw new FilterError(
      filter,
      0,
      `the filter's program takes ${out.length} bytes; expected at most ${programMax}`,
    )
  return Uint8Array.from(out)
}
