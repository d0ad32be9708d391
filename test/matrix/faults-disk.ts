// test/matrix/faults-disk.ts: rows of the crash matrix in which the relay's disk refuses, is slow, or loses with the power what was not synced.
import { reboot } from '../support/power-cut.js'
import { shim } from '../support/shims.js'
import type { Fault } from './fault.js'
import { callFault } from './faults-relay.js'
import { seed } from './seed.js'

const refuses = (
  name: string,
  call: string,
  file: string,
  how: 'ENOSPC' | 'EIO',
  acks?: Fault['acks'],
): Fault => ({
  name: `disk: ${name}`,
  ...(acks ? { acks } : {}),
  tools: ['gcc'],
  relayEnv: () => callFault({ call, file, nth: 3, how, times: 5 }),
})

const powerCut = (loses: 'pages' | 'end' | 'all', write: number): Fault => ({
  name: `disk: power cut at write ${write}, loses ${loses}`,
  ...{ tools: ['gcc'], strikes: 'at once' },
  relayEnv: (stage) => ({
    ...{ LD_PRELOAD: shim('power-cut'), POWER_CUT_FOLDER: stage.output, POWER_CUT_LOSES: loses },
    ...{ POWER_CUT_WRITE: String(write), POWER_CUT_SEED: seed },
  }),
  async strike(stage) {
    await stage.relay.ended
    reboot(stage.output)
    await stage.startRelay() // before it nobody promises that the trace can be read
  },
})

export const diskFaults: Fault[] = [
  refuses('full, for marks', 'pwrite', '/.events_', 'ENOSPC'),
  refuses('full, for packets', 'pwrite', '/events_', 'ENOSPC'),
  refuses('a fault, for packets', 'pwrite', '/events_', 'EIO'),
  refuses('a fault, for a sync of marks', 'fdatasync', '/.events_', 'EIO', ['synced']),
  refuses('a fault, for a sync of packets', 'fdatasync', '/events_', 'EIO', ['synced']),
  {
    name: 'disk: full when the trace begins',
    ...{ tools: ['gcc'], strikes: 'at once' },
    relayEnv: () => callFault({ call: 'mkdir', file: '/.program-', nth: 1, how: 'ENOSPC', times: 2 }),
    strike: (stage) => stage.stores(),
  },
  {
    name: 'disk: slow',
    tools: ['gcc'],
    relayEnv: () => callFault({ call: 'pwrite', file: '/events_', nth: 1, how: 'slow', times: 1e6 }),
    strike: (stage) => stage.emits(500),
  },
  ...[5, 9, 14].flatMap((write) => (['pages', 'end', 'all'] as const).map((loses) => powerCut(loses, write))),
]
