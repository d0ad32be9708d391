// test/matrix/cells.ts: the crash matrix: each fault in each mode, with each kind of ring, at each level of acknowledgement. A row leaves out what
// cannot be (a sequence in a leased ring, a retired sub-buffer in discard mode) or cannot differ (the acknowledgement, for who dies in the writer).
import { ACKS, type Ack, type Fault, MODES, type Mode, RINGS, type Ring } from './fault.js'
import { diskFaults } from './faults-disk.js'
import { linkFaults } from './faults-link.js'
import { machineFaults } from './faults-machine.js'
import { pointFaults } from './faults-points.js'
import { processFaults } from './faults-process.js'
import { relayFaults } from './faults-relay.js'

export interface Cell {
  name: string
  fault: Fault
  mode: Mode
  ring: Ring
  ack: Ack
}

export const faults: readonly Fault[] = [
  ...[...pointFaults, ...processFaults, ...relayFaults, ...diskFaults, ...linkFaults, ...machineFaults],
]

/**
 * Where all three may differ, the four of the eight in which each pair of values occurs once: what fails for two of them together is found, at
 * half the time.
 */
function differs({ modes, rings, acks }: Fault, mode: Mode, ring: Ring, ack: Ack): boolean {
  if (modes ?? rings ?? acks) return true
  return [mode === 'overwrite', ring === 'leased', ack === 'synced'].filter(Boolean).length % 2 === 0
}

export const cells: readonly Cell[] = faults.flatMap((fault) =>
  (fault.modes ?? MODES).flatMap((mode) =>
    (fault.rings ?? RINGS).flatMap((ring) =>
      (fault.acks ?? ACKS)
        .filter((ack) => differs(fault, mode, ring, ack))
        .map((ack) => ({ name: `${fault.name}; ${mode}, ${ring}, ${ack}`, fault, mode, ring, ack })),
    ),
  ),
)

/** For every run of the tests: each of who can die or stall, and each mode, ring and acknowledgement, in some cell. */
export const shortCut: readonly string[] = [
  'process: dies at rseq-copied; discard, cpu, written',
  'process: dies at lease-committed; overwrite, leased, written',
  'process: dies at retire-counted; overwrite, cpu, written',
  'process: dies at ring-header-written; discard, leased, written',
  'process: dies at put-answered; discard, leased, synced',
  'thread: stalls at bytes-sent; overwrite, cpu, synced',
  'process: SIGKILL, moment 1; overwrite, leased, written',
  'process: stopped; discard, leased, synced',
  'Worker: terminate; overwrite, cpu, synced',
  'relay: dies half pwrite 5 of events_; discard, cpu, written',
  'relay: dies after pwrite 2 of .events_; overwrite, leased, written',
  'relay: SIGKILL, moment 1; overwrite, cpu, synced',
  'relay: stopped; overwrite, leased, written',
  'recovery: dies at tail-released; discard, cpu, written',
  'disk: full, for packets; discard, leased, synced',
  'disk: power cut at write 9, loses all; overwrite, leased, written',
  'link: silent; discard, leased, synced',
  'clock: set by 1 h; discard, leased, synced',
  'affinity: from processor to processor; overwrite, cpu, synced',
  'descriptors: all taken for a while; discard, cpu, written',
  '/dev/shm: full from the start; overwrite, leased, written',
  'group: frozen; discard, cpu, written',
  'user: root becomes nobody; overwrite, cpu, synced',
]
