// test/cli-repair.test.ts: `blkin repair` and `blkin relay --keep` as a user has them.
import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type { RepairReport } from '@blkin/relay'
import { expect, test } from 'vitest'
import { blkin, json } from './support/cli.js'
import { relay } from './support/relays.js'
import { folder, program, run } from './support/run.js'
import { describeWith } from './support/tools.js'
import { printed, recorded } from './support/trace.js'

/** A trace of 3,000 events of a program that has ended, and the largest of its streams. */
async function traced() {
  const to = await relay()
  await run(program('burst.mjs'), { args: ['3000', 'flush'], env: to.env })
  const trace = join(to.output, readdirSync(to.output)[0]!)
  const sizes = readdirSync(trace).filter((name) => name.startsWith('events_'))
  const largest = sizes
    .map((name) => join(trace, name))
    .sort((a, b) => statSync(b).size - statSync(a).size)[0]!
  return { to, trace, largest }
}

describeWith(['babeltrace2'], 'repair', () => {
  test('says what it would do, does it, tells it in the trace, and has nothing to do then', async () => {
    const { to, largest } = await traced()
    await to.close()
    truncateSync(largest, statSync(largest).size - 5000)
    const broken = readFileSync(largest)
    const dry = await blkin('repair', to.output, '--dry-run')
    expect(dry).toMatchObject({
      code: 0,
      err: expect.stringMatching(/1 trace, \d+ streams?: 1 repair to be made/),
    })
    expect(readFileSync(largest).equals(broken)).toBe(true)
    const done = await blkin('repair', to.output)
    expect(done.out).toBe(dry.out)
    const [, missing] = /events_\d+: .* cut off, ([\d,]+) events missing\n$/.exec(done.out)!
    const { events, lost } = await recorded(to.output)
    expect(lost).toBe(Number(missing!.replace(',', '')))
    expect(events.length + lost).toBe(3000)
    expect(printed(to.output)).toHaveLength(events.length)
    const again = await blkin('repair', to.output, '--json')
    expect(json<RepairReport>(again)[0]).toMatchObject({ traces: 1, repaired: [], setAside: [], failed: [] })
  })

  test('leaves a folder alone that a relay has open, and names its process', async () => {
    const { to, trace } = await traced()
    for (const path of [to.output, trace]) {
      const { code, err } = await blkin('repair', path)
      expect({ code, err }).toMatchObject({
        code: 1,
        err: expect.stringContaining(`in use by process ${process.pid}`),
      })
    }
    expect((await blkin('repair', to.output, '--dry-run')).code).toBe(0)
  })

  test('says where there is nothing to repair', async () => {
    const empty = folder()
    expect(await blkin('repair', empty)).toMatchObject({ code: 3, err: expect.stringContaining('no trace') })
    expect(await blkin('repair', join(empty, 'none'))).toMatchObject({ code: 3 })
  })
})

test('a limit of --keep that is none is refused, with what may stand there', async () => {
  for (const wrong of ['7d,8d', '0d', '5m', '10x', '']) {
    const { code, err } = await blkin('relay', '--keep', wrong)
    expect({ code, err }, wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining('expected an age (12h, 7d)'),
    })
  }
})
