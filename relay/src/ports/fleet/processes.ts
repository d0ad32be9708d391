// relay/src/ports/fleet/processes.ts: the processes that a controller sees: each with its sessions, which the relay knows as
// traces of their own. Two sessions are of one process where pid, hostname and boot are the same. Pure.

import { i64, types } from '../../protocol/wire.js'
import type { Entry, Processes } from '../../recording/processes.js'

export function fleetProcesses(processes: Processes) {
  const groups = new Map<string, Entry[]>()
  for (const entry of processes.entries) {
    const { pid, hostname, bootId } = entry.process
    const key = `${pid} ${bootId.toString('hex')} ${hostname}`
    groups.set(key, [...(groups.get(key) ?? []), entry])
  }
  return [...groups.values()].map((entries) => {
    const { pid, hostname, program } = entries[0]!.process
    const starts = entries.map((entry) => entry.process.startedAt).sort((a, b) => (a < b ? -1 : 1))
    return new types.FleetProcess({
      ...{ pid, hostname, program, startedAt: i64(starts[0]!) },
      sessions: entries.map(fleetSession),
    })
  })
}

function fleetSession(entry: Entry) {
  const { connected, events, bytes, lost } = entry.stats()
  const counts = Object.entries(lost).map(([reason, count]) => [reason, i64(count)])
  return new types.FleetSession({
    ...{ uuid: entry.process.uuid, name: entry.process.session, connected },
    ...{ events: i64(events), bytes: i64(bytes), lost: new types.Lost(Object.fromEntries(counts)) },
  })
}
