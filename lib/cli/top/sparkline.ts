// lib/cli/top/sparkline.ts: the last values of a rate as a row of bars. Pure.

const bars = '▁▂▃▄▅▆▇█'

/** One bar a value, the highest value the highest bar; a space where there is no value yet, nothing is the lowest bar. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const most = Math.max(0, ...values.map((value) => value ?? 0))
  return values
    .map((value) => {
      if (value === undefined) return ' '
      return bars[value === 0 || most === 0 ? 0 : Math.max(1, Math.round((value / most) * (bars.length - 1)))]
    })
    .join('')
}

/** The last so many values of something that gets one a second. */
export class History {
  readonly #values: (number | undefined)[]

  constructor(length: number) {
    this.#values = new Array<undefined>(length).fill(undefined)
  }

  push(value: number): void {
    this.#values.shift()
    this.#values.push(value)
  }

  get values(): readonly (number | undefined)[] {
    return this.#values
  }
}
