// test/matrix/oracle.ts: what a cell of the crash matrix must have left: each event that was emitted is in the trace once, or counted as lost
// there. Pure but for the reading of a file that the traced program's threads write (program.mjs).
import { readFileSync } from 'node:fs'

/** How many emits of a thread began, and how many of these ended: a thread that died in between emitted the last one, or did not. */
export interface Noted {
  begun: number
  ended: number
}

export interface Numbered {
  thread: number
  n: number
}

export interface Outcome {
  noted: Noted[]
  /** In the order of the trace. */
  events: Numbered[]
  /** What the trace says was lost. */
  lost: number
  /** What the program itself says was lost, where it lived to tell. */
  told?: number | undefined
}

export const THREADS = 3

export function readNotes(path: string): Noted[] {
  const bytes = readFileSync(path)
  return Array.from({ length: THREADS }, (_, thread) => ({
    begun: bytes.readUInt32LE(thread * 8),
    ended: bytes.readUInt32LE(thread * 8 + 4),
  }))
}

/** What is wrong, in words; nothing where all is accounted for. */
export function judge({ noted, events, lost, told }: Outcome): string[] {
  const wrong: string[] = []
  const next = noted.map(() => 0)
  for (const { thread, n } of events) {
    const begun = noted[thread]?.begun ?? 0
    if (n >= begun) wrong.push(`thread ${thread}: event ${n} is recorded, and ${begun} were begun`)
    else if (n < next[thread]!)
      wrong.push(`thread ${thread}: event ${n} is recorded again, or behind its successor`)
    next[thread] = n + 1
  }
  const sum = (key: keyof Noted) => noted.reduce((all, one) => all + one[key], 0)
  const [least, most, found] = [sum('ended'), sum('begun'), events.length + lost]
  const emitted = least === most ? `${most}` : `${least} to ${most}`
  if (found < least || found > most)
    wrong.push(`${emitted} emitted, ${events.length} recorded + ${lost} lost = ${found}`)
  if (told !== undefined && told !== lost) wrong.push(`the program counts ${told} as lost, the trace ${lost}`)
  return wrong.length > 5 ? [...wrong.slice(0, 5), `and ${wrong.length - 5} more`] : wrong
}
