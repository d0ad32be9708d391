// lib/cli/overhead/cost-states.ts: which states are measured without a program, and what their processes run. A table and nothing
// else. costs.ts starts a process a state (cost-process.ts), so that no state's code is compiled for another's.
//   state   of the process: none (nothing of ours), off, refused, sampled, recorder, live; spans-off, spans-out, spans-on
//   slice   what is called in it
//   most    turns a slice may have: what goes to a relay must leave half of its ring free

export interface CostRow {
  state: string
  slice: string
  says: string
  most?: number
}

/** Half of a CPU's ring as it usually is, of events of so many bytes. */
const fitting = (bytes: number) => (2 * 2 ** 20) / bytes

const kinds = { none: 'no fields', ints: '3 integers', text: 'a string of 16 letters' }
const bytes = { none: 16, ints: 32, text: 40 }

const tracepoint = (state: string, says: string, but: string[] = []): CostRow[] =>
  Object.entries(kinds)
    .filter(([slice]) => !but.includes(slice))
    .map(([slice, kind]) => ({ state, slice, says: `${says}, ${kind}` }))

const span = (state: string, says: string): CostRow[] => [
  { state, slice: 'span', says: `span with 3 tags, ${says}` },
  { state, slice: 'declared', says: `declared span with 3 tags, ${says}` },
]

export const costRows: readonly CostRow[] = [
  { state: 'none', slice: 'call', says: 'call through Node-API that does nothing' },
  { state: 'none', slice: 'clock', says: 'reading the clock: performance.now()' },
  ...tracepoint('off', 'tracepoint off'),
  ...tracepoint('refused', 'tracepoint refused by a filter', ['none']), // which asks for a field
  ...tracepoint('sampled', 'tracepoint refused by a share'),
  ...tracepoint('recorder', 'tracepoint on, flight recorder'),
  ...tracepoint('live', 'tracepoint on, live to a relay').map((row) => ({
    ...row,
    most: fitting(bytes[row.slice as keyof typeof bytes]),
  })),
  ...span('spans-off', 'off'),
  ...span('spans-out', 'sampled out'),
  ...span('spans-on', 'on, flight recorder'),
]

/** The loop that each slice is in, and which is taken away. */
export const loop = 'loop'
