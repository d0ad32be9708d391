// relay/src/pipeline/store/load.ts: whether what keeps spans can be loaded, for startRelay() where it is asked for: DuckDB's binary is an optional
// package that need not be there. It is the worker that uses it.
import { createRequire } from 'node:module'

/** @throws Error of one line where DuckDB cannot be loaded: why, and what to do */
export function checkStore(): void {
  try {
    // Asked for by name first: of an import that fails inside CommonJS, Node 20 reports some errors to nobody who could catch them.
    createRequire(import.meta.url)('@duckdb/node-bindings')
  } catch (error) {
    const binary = `DuckDB's binary for ${process.platform}-${process.arch}`
    const { code, message } = error as NodeJS.ErrnoException
    const why =
      code === 'MODULE_NOT_FOUND'
        ? `${binary} is not installed; it is an optional dependency: install @blkin/relay without --omit=optional`
        : `${binary} cannot be loaded: ${message.split('\n')[0]}`
    throw new Error(`spans are kept in DuckDB, and ${why}`, { cause: error })
  }
}
