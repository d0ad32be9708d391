// test/descriptors.test.ts: a program that has no descriptor left when its first tracepoint is declared. Not under blkin/register, which
// is there before.
import { expect, test } from 'vitest'
import { relay } from './support/relays.js'
import { result } from './support/run.js'
import { describeWith } from './support/tools.js'
import { recorded } from './support/trace.js'

interface Told {
  without: object
  flushed: boolean
  control: object
  emitted: number
  lost: { noRing: number }
}

describeWith(['prlimit'], 'no descriptor left when the first tracepoint is declared', () => {
  test('what could not be had then is there once there are some, and all is recorded or counted', async () => {
    const to = await relay()
    const program = `
      import { closeSync, existsSync, openSync } from 'node:fs'
      import { setTimeout as wait } from 'node:timers/promises'
      import { enable, flush, provider, status, t } from 'blkin'
      const taken = []
      for (let i = 0; i < 10; i++) { // other threads may close some that they had
        await wait(10)
        try { for (;;) taken.push(openSync('/dev/null')) } catch {}
      }
      const { e } = provider('few', { e: { fields: { n: t.u32 } } })
      let n = 0
      const emit = (events) => { for (let i = 0; i < events; i++) e({ n: n++ }) }
      const rule = enable('few:*')
      emit(100)
      const without = status().control
      taken.forEach(closeSync)
      while (!existsSync(status().control.folder + '/control')) await wait(10)
      while (status().buffers.rings.length === 0) { emit(100); await wait(10) }
      await flush()
      rule.disable()
      await wait(300) // the consumer sleeps by then
      enable('few:*')
      emit(100)
      console.log(JSON.stringify({ without, flushed: await flush(), ...status(), emitted: n }))`
    const before = ['prlimit', '--nofile=100']
    const told = await result<Told>(program, { before, env: { BLKIN_RELAY: to.address } })
    expect(told.without).toEqual({ error: expect.stringContaining('Too many open files') })
    expect(told.control).toEqual({ folder: expect.stringContaining('blkin-') })
    expect(told.flushed).toBe(true)
    const { events, lost } = await recorded(to.output)
    expect(lost).toBe(told.lost.noRing)
    expect(events.length + lost).toBe(told.emitted)
    expect(events.slice(-100).map(({ fields }) => fields.n)).toEqual(
      Array.from({ length: 100 }, (_, i) => told.emitted - 100 + i),
    )
  })
})
