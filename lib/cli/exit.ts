// lib/cli/exit.ts: what the command's exit codes mean.

export const exitCodes = { done: 0, failed: 1, usage: 2, nothing: 3 } as const

/** Something was wrong with the command line; its message says what was given and what is allowed. */
export class UsageError extends Error {}

/** Runs a check of the library on a flag's value; its TypeError or RangeError is the user's. */
export function checkFlag<T>(flag: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message}`)
  }
}
