// relay/src/common/log-rate.ts: lines to a log that others can make longer: of each kind the first few of a minute are written, those behind
// them are counted, and the minute ends with how many there were. Rejections owns one.

const PERIOD_MS = 60_000
const FIRST = 5
/** Of lines that are of no kind, such as alerts: each sort of them is rare by itself. */
const FIRST_OF_ALL = 1000

interface Kind {
  written: number
  more: number
  last: string
}

export class LogRate {
  readonly #kinds = new Map<string, Kind>()
  #timer: NodeJS.Timeout | undefined

  constructor(readonly write: (line: string) => void) {}

  /** `kind` is a word of the program's: nobody outside makes more of them. */
  line(line: string, kind = ''): void {
    this.#timer ??= setTimeout(() => this.flush(), PERIOD_MS).unref()
    const state = this.#kinds.get(kind) ?? { written: 0, more: 0, last: '' }
    this.#kinds.set(kind, state)
    if (state.written < (kind === '' ? FIRST_OF_ALL : FIRST)) {
      state.written++
      this.write(line)
    } else {
      state.more++
      state.last = line
    }
  }

  /** Writes how many were left out, and begins anew. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const kinds = [...this.#kinds.values()]
    this.#kinds.clear()
    for (const { more, last } of kinds)
      if (more > 0)
        this.write(`and ${more} more ${more === 1 ? 'line' : 'lines'} like these, the last: ${last}`)
  }
}
