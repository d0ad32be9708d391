// bench/lib/measure-stalls.mjs: the longest of millions of single calls, of blkin and of LTTng-UST in turns, in one run: what stalls the machine
// stalls the bare loops too, which are measured between. scripts/bench-stalls.mjs publishes it.
import { mkdtempSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'
import { merged } from './histogram.mjs'
import { startLttng } from './lttng.mjs'
import { generator, shuffled } from './stats.mjs'

/** @throws where it is not exact */
function accountOf({ emitted, recorded, lost }) {
  if (recorded + lost !== emitted) throw new Error(`${emitted} emitted, ${recorded} recorded, ${lost} lost`)
  return { emitted, lost }
}

/** Rows of the page, each a call of a peer. */
export const rows = [
  { id: 'c.nothing', peer: 'ring', call: 'nothing', says: 'nothing, C' },
  { id: 'c.blkin', peer: 'ring', call: 'ints', says: '**blkin**, its write into the ring, C++' },
  { id: 'c.lttng', peer: 'lttng', call: 'ints', says: 'LTTng-UST, C' },
  { id: 'js.nothing', peer: 'js', call: 'nothing', says: 'nothing, JavaScript' },
  { id: 'js.blkin', peer: 'js', call: 'ints', says: '**blkin**, JavaScript' },
]

/**
 * @param {{ ring: string, missing: string[] }} where what was built, and what of LTTng is missing
 * @param {{ rounds: number, ms: number, say: (line: string) => void }} settings ms: of each row in each round
 */
export async function measureStalls({ ring, missing }, { rounds, ms, say }) {
  const threads = Math.max(2, availableParallelism())
  const folder = mkdtempSync(join(tmpdir(), 'blkin-stalls-'))
  const peers = {}
  let lttng
  try {
    if (missing.length === 0) {
      lttng = await startLttng('lttng-stalls')
      peers.lttng = lttng.child
    }
    const relay = new Child(process.execPath, [join(root, 'bench/js/relay.mjs'), join(folder, 'traces')])
    peers.relay = relay
    const env = { ...process.env, BLKIN_RELAY: await relay.hear(), BLKIN_ENABLE: '', BLKIN_BUFFER: '' }
    peers.js = new Child(process.execPath, [join(root, 'bench/js/stalls.mjs')], { env })
    peers.ring = new Child(ring)
    const measured = rows.filter(({ peer }) => peer in peers).map((row) => ({ ...row, calls: 0, lists: [] }))
    const random = generator(1)
    for (let round = 0; round < rounds; round++) {
      say(`round ${round + 1} of ${rounds}`)
      for (const row of shuffled(measured, random)) {
        const { calls, buckets } = JSON.parse(await peers[row.peer].ask(`${row.call} ${threads} ${ms}`))
        row.calls += calls
        row.lists.push(buckets)
      }
    }
    const emitted = (peer) => measured.find((row) => row.peer === peer && row.call === 'ints')?.calls
    const accounts = {
      js: accountOf(await peers.js.last()),
      ring: accountOf({ emitted: emitted('ring'), ...(await peers.ring.last()) }),
    }
    if (lttng) accounts.lttng = { emitted: emitted('lttng'), lost: await lttng.discarded() }
    return {
      threads,
      lttng: lttng?.version,
      accounts,
      rows: measured.map(({ id, peer, says, calls, lists }) => ({
        ...{ id, peer, says, calls },
        buckets: merged(lists),
      })),
    }
  } finally {
    await lttng?.end()
    for (const name of ['js', 'ring', 'relay']) await peers[name]?.end()
    rmSync(folder, { recursive: true, force: true })
  }
}
