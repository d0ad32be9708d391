// lib/transform/types.ts: TypeScript as Node runs it: its types replaced by spaces, so that all else stays where it was.
import module, { createRequire } from 'node:module'

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

type TypeScript = { transpileModule(code: string, options: object): { outputText: string } }

/** The same when a program is built, where its own TypeScript can do what Node cannot: nothing stays where it was then. */
export function compileTypes(file: string, code: string): string | undefined {
  const stripped = stripTypes(file, code)
  if (stripped !== undefined) return stripped
  try {
    const { transpileModule } = createRequire(file)('typescript') as TypeScript
    return transpileModule(code, { fileName: file, compilerOptions: compiled }).outputText
  } catch {
    return undefined
  }
}

/** As TypeScript numbers them: ESNext, ESNext, ReactJSX. */
const compiled = { target: 99, module: 99, jsx: 4, verbatimModuleSyntax: true }
