// lib/cli/exit.ts: what the command's exit codes mean, and the errors that lead to them.

export const exitCodes = { done: 0, failed: 1, usage: 2, nothing: 3 } as const

/** Something was wrong with the command line; its message says what was given and what is allowed. */
export class UsageError extends Error {}

/** There is no such process, tracepoint, rule or session; its message says what there is. */
export class NothingError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  return error instanceof NothingError ? exitCodes.nothing : exitCodes.failed
}

/** Runs a check of the library on a flag's value; its TypeError or RangeError is the user's. */
export function checkFlag<T>(flag: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message}`)
  }
}
