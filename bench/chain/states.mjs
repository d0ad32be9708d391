// bench/chain/states.mjs: in which states the chain is measured, with the targets, and what BlkKin's thesis published. Tables.
//   form     of the block store: build.mjs
//   events   what is switched on
//   by       who takes what comes: record (`blkin record`), relay (`blkin relay --http`), memory (a session without a relay)

const own = ['blockstore:*', 'objstore:*']
const all = [...own, 'step:*']
const spans = ['blkin:*']

export const states = [
  { id: 'none', form: 'none', says: 'no tracing code' },
  { id: 'off', form: 'store', says: 'off' },
  { id: 'local', form: 'store', events: own, by: 'record', says: 'recorded to local files' },
  { id: 'live', form: 'store', events: own, by: 'relay', says: 'live to the relay' },
  { id: 'flight', form: 'store', events: own, by: 'memory', says: 'flight recorder alone' },
  { id: 'sampled', form: 'store', events: spans, by: 'relay', share: 500, says: 'spans, 1 request in 500' },
  { id: 'every', form: 'store', events: spans, by: 'relay', share: 1, says: 'spans, every request' },
  { id: 'off113', form: 'steps', says: 'off, 113 annotations' },
  { id: 'local113', form: 'steps', events: all, by: 'record', says: 'recorded to local files, 113' },
  { id: 'live113', form: 'steps', events: all, by: 'relay', says: 'live to the relay, 113' },
  { id: 'flight113', form: 'steps', events: all, by: 'memory', says: 'flight recorder alone, 113' },
]

/** What a state is held against: off of the same form, but for "off" itself. */
export const baseOf = ({ id, form }) =>
  id.startsWith('off') || id === 'none' ? 'none' : form === 'steps' ? 'off113' : 'off'

/** At least this ratio to what baseOf() says. */
export const targets = { off: 0.995, live: 0.96, live113: 0.85, sampled: 0.98, every: 0.8, flight113: 0.95 }

export const workloads = [
  { id: 'sequential', rw: 'write', bs: '64k', says: '64 KiB sequential writes' },
  { id: 'random', rw: 'randwrite', bs: '4k', says: '4 KiB random writes' },
]

/**
 * KB/s in the evaluation of the thesis: Archipelago on RADOS with four OSDs, fio in a guest, 113 annotations a write, by workload: no
 * tracing code, tracing stopped, recorded by LTTng, live, live with one request in 500.
 */
export const blkkin = {
  sequential: { none: 16887, stopped: 16076, traced: 14882, live: 14941, sampled: 15480 },
  random: { none: 1326.7, stopped: 1247, traced: 1100, live: 1107.8, sampled: 1192.7 },
}

/** The state of theirs that is nearest to one here: their annotations are our tracepoints and our spans. */
export const theirs = {
  ...{ off: 'stopped', off113: 'stopped', local113: 'traced', live113: 'live' },
  ...{ sampled: 'sampled', every: 'live' },
}

/** Their ratio of a state here to what it is held against; undefined where they measured none such. */
export function theirRatio(workload, state) {
  const own = theirs[state.id]
  const base = baseOf(state) === 'none' ? 'none' : 'stopped'
  return own && blkkin[workload][own] / blkkin[workload][base]
}
