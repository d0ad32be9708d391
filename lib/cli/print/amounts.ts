// lib/cli/print/amounts.ts: numbers as a person reads them: counts, bytes, rates, times. Pure.

/** 3 -> "3 events"; 1 -> "1 event" */
export function count(n: number, one: string): string {
  return `${grouped(n)} ${one}${n === 1 ? '' : /(s|ch)$/.test(one) ? 'es' : 's'}`
}

export const grouped = (n: number): string => n.toLocaleString('en-US')

export function bytes(n: number): string {
  return n < 1000 ? `${n} bytes` : scaled(n, ['', ' kB', ' MB', ' GB', ' TB'])
}

/** 950 -> "950"; 12345 -> "12.3k" */
export function short(n: number): string {
  if (n > 0 && n < 10) return n.toFixed(1).replace(/\.0$/, '')
  return n < 999.5 ? String(Math.round(n)) : scaled(n, ['', 'k', 'M', 'G', 'T'])
}

/** A time of that many nanoseconds: 1234 -> "1.23us" */
export function duration(ns: number): string {
  return ns < 999.5 ? `${Math.round(ns)}ns` : scaled(ns, ['ns', 'us', 'ms', 's'])
}

/** Three digits, and the unit of the power of a thousand; rounded first, so that nothing reads 1000 of the lower one. */
function scaled(n: number, units: readonly string[]): string {
  const rounded = Number(n.toPrecision(3))
  const power = Math.min(units.length - 1, Math.floor(Math.log10(rounded) / 3))
  const value = rounded / 1000 ** power
  return `${value < 1000 ? value.toPrecision(3) : Math.round(value)}${units[power]}`
}

/** How long something has been up: 93784 -> "1d02h" */
export function uptime(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const two = (n: number) => String(n).padStart(2, '0')
  if (whole < 60) return `${whole}s`
  if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`
  if (whole < 86400) return `${Math.floor(whole / 3600)}h${two(Math.floor(whole / 60) % 60)}m`
  return `${Math.floor(whole / 86400)}d${two(Math.floor(whole / 3600) % 24)}h`
}

/** "500us", "20ms", "1.5s", "2m" or "1h" in microseconds. @throws RangeError naming what was given. */
export function parseMicroseconds(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,6})?)(us|ms|s|m|h)$/.exec(text) ?? []
  const us = Number(number) * ({ us: 1, ms: 1000, s: 1e6, m: 60e6, h: 3600e6 }[unit] ?? 0)
  if (us > 0 && us <= Number.MAX_SAFE_INTEGER) return Math.ceil(us)
  throw new RangeError(`${JSON.stringify(text)}: expected a time such as 500us, 20ms, 1.5s or 2m`)
}

/** "10s", "500ms", "2m" or "1h" in milliseconds. @throws RangeError naming what was given. */
export function parseDuration(text: string): number {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/.exec(text) ?? []
  const ms = Number(number) * ({ ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[unit] ?? 0)
  if (ms > 0 && ms <= 2 ** 31 - 1) return Math.ceil(ms)
  throw new RangeError(`${JSON.stringify(text)}: expected a time such as 500ms, 10s, 5m or 1h`)
}

/** A day and a time of this machine's zone, of microseconds since the epoch: "2026-11-25 12:13:48.123" */
export function localTime(us: number): string {
  const at = new Date(us / 1000)
  if (Number.isNaN(at.getTime())) return '?'
  const two = (n: number) => String(n).padStart(2, '0')
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
  return `${day} ${at.toTimeString().slice(0, 8)}.${String(at.getMilliseconds()).padStart(3, '0')}`
}
