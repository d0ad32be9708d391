// lib/sample.ts: how many of the events a rule keeps: 1/100, 1%, 0.01. Pure.

const most = 1_000_000_000

/** Each event is kept with the probability keep/of. */
export interface Sample {
  readonly keep: number
  readonly of: number
}

/** @throws TypeError (ERR_BLKIN_SAMPLE) naming what was given. */
export function parseSample(given: unknown): Sample {
  const text = String(given).trim()
  const [, keep, of] = /^(\d+)\/(\d+)$/.exec(text) ?? []
  if (keep !== undefined && of !== undefined && +keep >= 1 && +keep <= +of && +of <= most)
    return { keep: +keep, of: +of }
  const [, number, percent] = /^(\d*\.?\d+(?:e-?\d+)?)(%?)$/i.exec(text) ?? []
  const rate = number === undefined ? Number.NaN : Number(number) / (percent ? 100 : 1)
  if (rate > 0 && rate <= 1 && Math.round(rate * most) > 0) return simplest(Math.round(rate * most), most)
  throw Object.assign(
    new TypeError(
      `sample ${JSON.stringify(given)}: expected a share such as "1/100", "1%" or 0.01, above 0, at most 1`,
    ),
    { code: 'ERR_BLKIN_SAMPLE' },
  )
}

function simplest(keep: number, of: number): Sample {
  let [a, b] = [keep, of]
  while (b !== 0) [a, b] = [b, a % b]
  return { keep: keep / a, of: of / a }
}

/**
 * How many are passed over until one is kept: as a die thrown for each would have it, which keeps with the chance `share`.
 *
 * @param random from 0 to below 1
 */
export function gapBefore(share: number, random: number): number {
  return Math.floor(Math.log(1 - random) / Math.log1p(-share))
}

export function formatSample({ keep, of }: Sample): string {
  return `${keep}/${of}`
}
