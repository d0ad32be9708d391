// lib/cli/relay/followed.ts: events of a relay's fleet: lines of JSON as Fleet.take() gives them, read and shown as text. Pure.

/** docs/view.md lists the keys. A loss has `lost` and no `event`. */
export interface FollowedEvent {
  time: string
  host: string
  pid: number
  program: string
  provider: string
  event: string
  cpu: number | null
  context?: Record<string, unknown>
  fields: Record<string, unknown>
  lost?: number
}

export const readFollowed = (line: string): FollowedEvent => JSON.parse(line) as FollowedEvent

/** Nanoseconds since the epoch. */
export function timeOf({ time }: Pick<FollowedEvent, 'time'>): bigint {
  const [, seconds = '', fraction = ''] = /^(.*)\.(\d{9})Z$/.exec(time) ?? []
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction)
}

/** In the manner of `blkin view`; an enum is its label alone, since the relay says no more. */
export function followedText(event: FollowedEvent, before?: FollowedEvent): string {
  const clock = `[${new Date(event.time).toTimeString().slice(0, 8)}${event.time.slice(19, 29)}]`
  const where = `${event.host}:${event.program}:(${event.pid})`
  if (event.lost !== undefined) return `${clock} *** ${event.lost} events lost in ${where} ***`
  const delta = before === undefined ? '+?.?????????' : deltaText(timeOf(event) - timeOf(before))
  const parts = [{ cpu_id: event.cpu ?? 4294967295 }, ...(event.context ? [event.context] : []), event.fields]
  return `${clock} (${delta}) ${where} ${event.provider}:${event.event}: ${parts.map(structText).join(', ')}`
}

function deltaText(ns: bigint): string {
  const size = ns < 0n ? -ns : ns
  return `${ns < 0n ? '-' : '+'}${size / 1_000_000_000n}.${String(size % 1_000_000_000n).padStart(9, '0')}`
}

function structText(fields: Record<string, unknown>): string {
  const parts = Object.entries(fields).map(([name, value]) => `${name} = ${valueText(value)}`)
  return parts.length === 0 ? '{ }' : `{ ${parts.join(', ')} }`
}

function valueText(value: unknown): string {
  if (!Array.isArray(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value)
  return value.length === 0 ? '[ ]' : `[ ${value.map((one, i) => `[${i}] = ${valueText(one)}`).join(', ')} ]`
}
