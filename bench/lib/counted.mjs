// bench/lib/counted.mjs: every event that was timed was recorded or counted as lost: otherwise the times are those of something else.
import { countEvents } from './count.mjs'
import { contextBytes, recordedEvents, sample } from './rows.mjs'

/** Throws where what a session emitted is not what its consumer, its relay and its files have; notes in it what was counted. */
export function countSession(session, processes, account) {
  const { name, uuid, emitted, lost, overwritten, acknowledged } = session
  const stored = processes.find((one) => one.uuid.replaceAll('-', '') === uuid)
  const before = contextBytes[name] ?? 0
  const files = countEvents(
    stored.folder,
    Object.values(recordedEvents).map((bytes) => before + bytes),
  )
  session.counted = files.events
  const counts = { 'the consumer': acknowledged, 'the relay': stored.events, 'the files': files.events }
  const kept = name === 'refusing' ? countRefused(files.byId, account) : 0
  for (const [who, count] of Object.entries(counts)) {
    if (count !== emitted + kept - lost - overwritten)
      throw new Error(
        `bench: session ${name}: ${who}: ${count} events; expected ${emitted + kept} less ${lost} lost and ${overwritten} overwritten`,
      )
  }
  if (name !== 'default') return
  account.ctfBytes = Object.fromEntries(
    Object.keys(recordedEvents).map((event, id) => [event, files.byId[id].bytes / files.byId[id].events]),
  )
}

/** Filters were to refuse all, and a sample nearly all. Returns how many were kept. */
function countRefused(byId, account) {
  const ids = Object.keys(recordedEvents)
  const { filtered, sampled, named } = account.emitted
  const kept = byId[ids.indexOf('sampled')].events
  const others = byId.reduce((sum, { events }) => sum + events, 0) - kept
  account.refused = { filtered, named, sampled: sampled - kept }
  account.sampledKept = kept
  if (others > 0) throw new Error(`bench: filters kept ${others} events; expected none`)
  if (kept > 10 + 10 * sampled * sample)
    throw new Error(`bench: a sample of ${sample} kept ${kept} of ${sampled} events`)
  return kept
}

/** Five events a span, or a beginning that holds the tags and an end; none where it is not recorded; and the SDK's went to its exporter. */
export function checkSpans({ bytes, lost, exported }) {
  const isRecorded = bytes.span >= 5 * 32 && bytes.started >= 3 * 32 && bytes.declared >= 3 * 32
  if (bytes.off !== 0 || bytes.out !== 0 || !isRecorded || lost !== 0 || exported === 0)
    throw new Error(
      `bench: spans: ${JSON.stringify({ bytes, lost, exported })}; expected all of them and no other`,
    )
}
