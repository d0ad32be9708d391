// lib/sample.ts: a rate of sampling, as flags and the environment give it: 1/100, 1% or 0.01. Pure.

/** Each event is kept with the probability keep/of. */
export interface Sample {
  readonly keep: number
  readonly of: number
}

const most = 1_000_000_000

/** @throws RangeError naming what was given. */
export function parseSample(text: string): Sample {
  const [, keep = '', of = ''] = /^(\d{1,10})\/(\d{1,10})$/.exec(text) ?? []
  const [, whole = '', part = '', percent = ''] = /^(\d{1,3})(?:\.(\d{1,9}))?(%?)$/.exec(text) ?? []
  const sample =
    of !== ''
      ? lowest(Number(keep), Number(of))
      : lowest(Number(whole + part), 10 ** part.length * (percent === '' ? 1 : 100))
  if (sample.keep >= 1 && sample.keep <= sample.of && sample.of <= most) return sample
  throw new RangeError(
    `${JSON.stringify(text)}: expected a share of the events such as 1/100, 1% or 0.01; more than none, at most all`,
  )
}

function lowest(keep: number, of: number): Sample {
  let [divisor, rest] = [keep, of]
  while (rest > 0) [divisor, rest] = [rest, divisor % rest]
  return divisor === 0 ? { keep, of } : { keep: keep / divisor, of: of / divisor }
}
