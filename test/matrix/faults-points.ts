// test/matrix/faults-points.ts: rows of the crash matrix in which the program dies, or one of its threads stalls, at a named point of the addon.
import { type Ack, during, type Fault, type Mode, type Ring, SHORT_MS } from './fault.js'
import { changeCode } from './points.js'
import type { Stage } from './stage.js'

/** When a thread comes by. start: when the program begins to trace; full: once rings are; reconnect: when the relay comes back; pauses: awake again. */
type When = 'start' | 'steady' | 'full' | 'reconnect' | 'pauses'

interface Place {
  name: string
  when: When
  modes?: readonly Mode[]
  rings?: readonly Ring[]
  acks?: readonly Ack[]
}

/** What a writer does to a ring. */
const writer: Place[] = [
  ...['rseq-begun', 'rseq-copied', 'rseq-committed'].map(
    (name) => ({ name, when: 'steady', rings: ['cpu'] }) as const,
  ),
  ...['lease-copied', 'lease-committed', 'lease-padded'].map(
    (name) => ({ name, when: 'steady', rings: ['leased'] }) as const,
  ),
  ...['retire-counted', 'retire-given-up'].map(
    (name) => ({ name, when: 'full', modes: ['overwrite'] }) as const,
  ),
  { name: 'loss-counted', when: 'full', modes: ['discard'] },
  { name: 'limit-raised', when: 'steady' },
  ...['reader-roused', 'record-behind-sleeper', 'reader-woken'].map(
    (name) => ({ name, when: 'pauses' }) as const,
  ),
]

/** What is made before the first record. The mode makes no difference yet. */
const making: Place[] = [
  ...['process-folder-made', 'tracepoints-file-made', 'lock-file-made', 'tracepoints-written'],
  ...['session-folder-made', 'hello-written', 'relay-written', 'state-written', 'session-made'],
  ...['ring-file-made', 'ring-reserved', 'ring-header-written', 'ring-made'],
].map((name) => ({ name, when: 'start', modes: ['discard'] }))

/** What the consumer says, hears and gives back. */
const consumer: Place[] = [
  ...[
    'put-queued',
    'bytes-sent',
    'put-answered',
    'tail-released',
    'answer-taken',
    'clock-written',
    'clock-named',
  ].map((name) => ({ name, when: 'steady' }) as const),
  ...['hello-queued', 'hello-answered', 'connection-dropped'].map(
    (name) => ({ name, when: 'reconnect' }) as const,
  ),
  { name: 'declaration-queued', when: 'start' },
  { name: 'rings-at-rest', when: 'pauses' },
]

const written: readonly Ack[] = ['written']
const places: Place[] = [...[...writer, ...making].map((place) => ({ ...place, acks: written })), ...consumer]

/** Makes threads come by. */
async function arrange({ when }: Place, stage: Stage): Promise<void> {
  if (when === 'full') await stage.killRelay()
  if (when === 'reconnect') {
    await stage.killRelay()
    await stage.startRelay()
  }
}

const dies = (place: Place): Fault => {
  const { name, when, ...product } = place
  const change = (stage: Stage) => void changeCode(stage.program.child.pid!, name, 'dies')
  return {
    ...product,
    name: `process: dies at ${name}`,
    ...(when === 'pauses' ? { pace: when } : {}),
    ...(when === 'start' ? { begin: change, strikes: 'at once' } : {}),
    async strike(stage) {
      if (when !== 'start') change(stage)
      await arrange(place, stage)
      await stage.program.ended
      if (when === 'full') await stage.startRelay()
    },
    ends: { code: null, signal: 'SIGTRAP' },
  }
}

/** Where others wait for who stands there, or could be taken in by what it has done. */
const stalling = new Set([
  ...[
    'rseq-copied',
    'rseq-committed',
    'lease-copied',
    'retire-counted',
    'retire-given-up',
    'record-behind-sleeper',
  ],
  ...[
    'put-queued',
    'bytes-sent',
    'put-answered',
    'tail-released',
    'clock-written',
    'rings-at-rest',
    'hello-answered',
  ],
])

const stalls = (place: Place): Fault => {
  const { name, when, ...product } = place
  return {
    ...product,
    name: `thread: stalls at ${name}`,
    ...(when === 'pauses' ? { pace: when } : {}),
    async strike(stage) {
      let undo = () => {}
      const begin = () => {
        undo = changeCode(stage.program.child.pid!, name, 'stalls').undo
      }
      if (when === 'full') await stage.killRelay()
      if (when === 'reconnect') begin()
      await arrange({ ...place, when: when === 'full' ? 'steady' : when }, stage)
      await during(SHORT_MS, when === 'reconnect' ? () => {} : begin, () => undo())
      if (when === 'full') await stage.startRelay()
    },
  }
}

export const pointFaults: Fault[] = [
  ...places.map(dies),
  ...places.filter(({ name }) => stalling.has(name)).map(stalls),
]
