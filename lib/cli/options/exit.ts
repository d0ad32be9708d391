// lib/cli/options/exit.ts: what the command's exit codes mean, and the errors that lead to them.

export const exitCodes = { done: 0, failed: 1, usage: 2, nothing: 3 } as const

/** How each verb's help ends; `codes` where they are others than most verbs'. */
export const ending = (example: string, codes = '0 done, 1 failed, 2 bad usage, 3 nothing matched'): string =>
  `\nExit: ${codes}\nExample: ${example}`

/** Of verbs that print until they are ended. */
export const watchCodes = '0 done, 1 failed, 2 bad usage, 3 nothing matched, 141 nobody reads'

/** Something was wrong with the command line; its message says what was given and what is allowed. */
export class UsageError extends Error {}

/** There is no such process, tracepoint, rule or session; its message says what there is. */
export class NothingError extends Error {}

export function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return exitCodes.usage
  return error instanceof NothingError ? exitCodes.nothing : exitCodes.failed
}

/** What @blkin/relay says of its options is said of the flags they came from. */
export function refusedOption(error: Error): never {
  throw error instanceof TypeError ? new UsageError(error.message) : error
}

/** Runs a check of the library on a flag's value; its TypeError or RangeError is the user's. */
export function checkFlag<T>(flag: string, check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw new UsageError(`${flag}: ${(error as Error).message}`)
  }
}
