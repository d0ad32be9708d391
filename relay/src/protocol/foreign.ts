// relay/src/protocol/foreign.ts: what speaks at the other end of a connection that no relay and no client of ours does, by the
// first four bytes, where a frame has its length. The words are those of native/thrift/foreign.hpp, and a test holds both
// to them. Pure.

/** What only a server meets. */
const requests = ['GET ', 'POST', 'PUT ', 'HEAD', 'OPTI', 'PRI ']

/** HTTP, TLS, SSH or text, of an error in those words; undefined for any other. */
export const foreignName = (words: string): string | undefined => /^it speaks (\w+)/.exec(words)?.[1]

/** Undefined: it may be a frame, or nothing that is known. */
export function foreignProtocol(first: number): string | undefined {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(first)
  const begin = bytes.toString('latin1')
  if (begin === 'HTTP' || requests.includes(begin))
    return 'it speaks HTTP, as a relay does at its --http address'
  if (begin === 'SSH-') return 'it speaks SSH'
  if (first >>> 16 === 0x1503 || first >>> 16 === 0x1603) return 'it speaks TLS, and this is plain TCP'
  if (!/^[ -~\r\n]{4}$/.test(begin)) return undefined
  const shown = begin.replace(/[\r\n].*/s, '')
  return `it speaks text that begins with "${shown}"`
}
