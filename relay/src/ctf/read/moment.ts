// relay/src/ctf/read/moment.ts: what --since and --until may say, and what it means for a trace. Pure.
//   2026-11-25T01:02:03.5Z  ISO 8601; without Z or an offset it is local time
//   01:02:03.5              local time, on the day the trace begins
//   1795568523500000000     nanoseconds since the epoch (16 digits or more)
//   +1.5s                   after the trace begins; ns, us, ms, s, m, h

export type Moment = { at: bigint } | { after: bigint } | { ofDay: bigint }

const SECOND = 1_000_000_000n
const UNITS: Record<string, bigint> = {
  ns: 1n,
  us: 1000n,
  ms: 1_000_000n,
  s: SECOND,
  m: 60n * SECOND,
  h: 3600n * SECOND,
}

export function parseMoment(option: string, text: string): Moment {
  const relative = /^\+(\d+)(?:\.(\d{1,9}))?(ns|us|ms|s|m|h)$/.exec(text)
  if (relative) {
    const unit = UNITS[relative[3]!]!
    return { after: BigInt(relative[1]!) * unit + (fraction(relative[2]) * unit) / SECOND }
  }
  if (/^\d{16,19}$/.test(text)) return { at: BigInt(text) }
  const ofDay = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(?:\.(\d{1,9}))?$/.exec(text)
  if (ofDay) {
    const seconds = Number(ofDay[1]) * 3600 + Number(ofDay[2]) * 60 + Number(ofDay[3])
    return { ofDay: BigInt(seconds) * SECOND + fraction(ofDay[4]) }
  }
  const iso = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)?$/.exec(text)
  const milliseconds = iso && exists(iso[1]!) ? Date.parse(iso[1]! + (iso[3] ?? '')) : Number.NaN
  if (iso && !Number.isNaN(milliseconds)) return { at: BigInt(milliseconds) * 1_000_000n + fraction(iso[2]) }
  throw new TypeError(
    `${option} is "${text}"; expected a day and time that there is, such as 2026-11-25T01:02:03.5Z, or 01:02:03.5, nanoseconds since the epoch, or +1.5s`,
  )
}

/** Date.parse() takes 30 February for 2 March, and 24:00:00 for the next day. */
function exists(dayAndTime: string): boolean {
  const date = new Date(`${dayAndTime}Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(dayAndTime)
}

/** In nanoseconds since the epoch, for a trace that begins at `start`. */
export function resolveMoment(moment: Moment, start: bigint): bigint {
  if ('at' in moment) return moment.at
  if ('after' in moment) return start + moment.after
  const day = new Date(Number(start / 1_000_000n))
  day.setHours(0, 0, Number(moment.ofDay / SECOND), 0)
  return BigInt(day.getTime()) * 1_000_000n + (moment.ofDay % SECOND)
}

const fraction = (digits = ''): bigint => BigInt(digits.padEnd(9, '0'))
