// lib/transform/types.ts: TypeScript as Node runs it: its types replaced by spaces, so that all else stays where it was.
import module from 'node:module'

type Strip = (code: string, options?: { mode: 'strip' }) => string

const strip = (module as { stripTypeScriptTypes?: Strip }).stripTypeScriptTypes

/** JavaScript is returned as it is; undefined where the file is TypeScript that cannot be stripped here. */
export function stripTypes(file: string, code: string): string | undefined {
  if (!/\.[cm]?tsx?$/.test(file)) return code
  if (strip === undefined) return undefined
  const { emitWarning } = process
  process.emitWarning = () => {} // Node says once that this is experimental; nobody here asked for it
  try {
    const stripped = strip(code, { mode: 'strip' })
    return stripped.length === code.length ? stripped : undefined
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}
