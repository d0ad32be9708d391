// test/power-cut.test.ts: a relay whose machine loses its power while processes send to it, on a disk that loses what was not synced
// (test/programs/power-cut.c). Behind it every event is in a trace that babeltrace2 reads, or counted as lost.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { reboot } from './support/power-cut.js'
import { freeAddress } from './support/relays.js'
import { folder, lastJson, program, start } from './support/run.js'
import { removeShims, shim } from './support/shims.js'
import { describeWith } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

interface Counted {
  emitted: number
  lost: Record<string, number>
  flushed: boolean
}

async function relayAt(address: string, output: string, env: Record<string, string> = {}) {
  const running = start(program('relay.mjs'), {
    args: [address, output, join(folder(), 'relay')],
    timeout: 60_000,
    env,
  })
  await running.says('listening')
  return running
}

const sum = (lost: Record<string, number>): number => Object.values(lost).reduce((all, one) => all + one, 0)

/** A process that emits through so many power cuts, what it counted, and what is in the traces. */
async function throughCuts(how: string[], cuts: Record<string, string>[]) {
  const [output, address] = [folder(), await freeAddress()]
  const process = start(program('steady.mjs'), {
    ...{ args: how, stdin: 'pipe', timeout: 120_000, env: { STEADY_RELAY: address } },
  })
  await process.says('emitting')
  for (const cut of cuts) {
    const env = { ...cut, LD_PRELOAD: shim('power-cut'), POWER_CUT_FOLDER: output, UV_USE_IO_URING: '0' }
    const relay = await relayAt(address, output, env)
    expect((await relay.ended).signal, 'the power went').toBe('SIGKILL')
    reboot(output)
  }
  const relay = await relayAt(address, output)
  process.child.stdin!.end('\n')
  const counted = lastJson<Counted>(await process.ended)
  relay.child.kill('SIGKILL')
  await relay.ended
  const { events, lost } = await recorded(output)
  return { counted, output, events, lost }
}

describeWith(['gcc', 'babeltrace2'], 'power cuts', () => {
  afterAll(removeShims)

  test.each([
    ['pages', 1, 'discard'],
    ['pages', 2, 'discard'],
    ['pages', 3, 'overwrite'],
    ['end', 4, 'discard'],
    ['end', 5, 'overwrite'],
    ['all', 6, 'discard'],
  ])(
    'what a disk loses of %s (draw %i, rings that %s) is cut off and counted, and nothing is refused',
    async (loses, seed, mode) => {
      const cut = (n: number) => ({
        ...{ POWER_CUT_LOSES: loses, POWER_CUT_SEED: String(seed * 100 + n) },
        POWER_CUT_WRITE: String(12 + seed * 4 + n * 5),
      })
      const { counted, output, events, lost } = await throughCuts(['written', mode], [cut(0), cut(1), cut(2)])
      expect(counted.flushed).toBe(true)
      if (loses === 'all') expect(counted.lost.unstored).toBeGreaterThan(0)
      expect({ events: events.length + sum(counted.lost), lost }).toEqual({
        ...{ events: counted.emitted, lost: sum(counted.lost) },
      })
      expect(new Set(events.map(({ fields }) => fields.n)).size, 'each once').toBe(events.length)
      expect(printed(output)).toHaveLength(events.length)
    },
  )

  test('what was acknowledged as synced is there, whatever was not', async () => {
    const cut = (n: number) => ({ POWER_CUT_LOSES: 'all', POWER_CUT_WRITE: String(5 + n * 8) })
    const { counted, output, events } = await throughCuts(['synced'], [cut(0), cut(1), cut(2)])
    expect(counted).toMatchObject({ flushed: true, lost: { unstored: 0 } })
    expect(events.length + sum(counted.lost)).toBe(counted.emitted)
    expect(printed(output)).toHaveLength(events.length)
  })

  test.each([1, 2, 3, 4, 5])('sync %i of a folder fails, and what was refused comes again', async (n) => {
    const [output, address] = [folder(), await freeAddress()]
    const env = { LD_PRELOAD: shim('power-cut'), POWER_CUT_FOLDER: output, POWER_CUT_FAILS: String(n) }
    const relay = await relayAt(address, output, { ...env, UV_USE_IO_URING: '0' })
    const process = start(program('steady.mjs'), {
      ...{ args: ['synced'], stdin: 'pipe', timeout: 60_000, env: { STEADY_RELAY: address } },
    })
    await process.says('emitting')
    process.child.stdin!.end('\n')
    const counted = lastJson<Counted>(await process.ended)
    expect(counted.flushed).toBe(true)
    relay.child.kill('SIGKILL')
    await relay.ended
    expect(readdirSync(output), 'one name').toHaveLength(1)
    expect(printed(output).length + sum(counted.lost)).toBe(counted.emitted)
  })
})
