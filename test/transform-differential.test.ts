// test/transform-differential.test.ts: random programs with tracepoint calls wherever an expression may stand do the same, and record the
// same, with their calls static and without; but for the arguments of what is off, which nobody evaluates then.
import { expect, test } from 'vitest'
import { Rewriter } from '../lib/transform/rewrite.js'
import { randomProgram } from './support/random-programs.js'

const AsyncFunction = (async () => {}).constructor as new (
  ...parts: string[]
) => (...given: unknown[]) => Promise<void>

const preamble = `const { provider } = require('blkin'); const disk = provider('random', {}); const { io } = disk
const all = Object.freeze({ disk }), o = {}, f = (...a) => a[0], tag = (a, ...b) => b.length; let i = 0; class F {}
`

function rewritten(code: string): { code: string; changed: number } {
  const following = new Rewriter().rewrite({ file: '/main.js', code })
  let step = following.next()
  while (!step.done) step = following.next('blkin')
  return step.value ?? { code, changed: 0 }
}

type Entry = readonly [what: 'argument' | 'step' | 'threw' | 'io' | 'sync', value: unknown]

/** What a program did, in order. Each step may switch a tracepoint on or off. */
async function runs(code: string, first: number, toggles: boolean): Promise<Entry[]> {
  const log: Entry[] = []
  const words = { io: new Uint16Array([first & 1]), sync: new Uint16Array([first >> 1]) }
  const tracepoint = (event: 'io' | 'sync') => {
    const on = words[event]
    Object.defineProperty(globalThis, `blkin:random:${event}`, { value: on, configurable: true })
    const emit = ({ n }: { n: unknown }) => {
      if (on[0] !== 0) log.push([event, typeof n === 'number' ? n : typeof n])
    }
    return Object.defineProperties(emit, { on: { value: on }, enabled: { get: () => on[0] !== 0 } })
  }
  const provider = () => ({ io: tracepoint('io'), sync: tracepoint('sync') })
  const step = (n: number) => {
    log.push(['step', typeof n === 'number' ? n : typeof n])
    if (toggles && n % 3 === 0) words.io[0]! ^= 1
    if (toggles && n % 5 === 0) words.sync[0]! ^= 1
    return n
  }
  const argument = (n: number) => {
    log.push(['argument', n])
    return n
  }
  const threw = (error: Error) => log.push(['threw', error?.name])
  await new AsyncFunction('require', 'step', 'argument', 'threw', code)(
    () => ({ provider }),
    step,
    argument,
    threw,
  )
  await new Promise(setImmediate) // what it did not wait for
  return log
}

const parses = (code: string): boolean => {
  try {
    return new AsyncFunction(code) !== undefined
  } catch {
    return false
  }
}

const seeds = 300

test('random programs do and record the same, static and plain', {
  timeout: 60_000,
}, async () => {
  let ran = 0
  let changed = 0
  let notEvaluated = 0
  for (let seed = 0; seed < seeds; seed++) {
    const code = preamble + randomProgram(seed)
    if (!parses(code)) continue
    const made = rewritten(code)
    ran++
    changed += made.changed
    for (const first of [0, 1, 2, 3]) {
      for (const toggles of [false, true]) {
        const plain = await runs(code, first, toggles)
        const still = await runs(made.code, first, toggles)
        const own = (log: Entry[]) => log.filter(([what]) => what !== 'argument')
        expect(own(still), `seed ${seed}, ${first}, ${toggles}:\n${code}\n---\n${made.code}`).toEqual(
          own(plain),
        )
        notEvaluated += plain.length - still.length
      }
    }
  }
  expect(ran, 'programs that are JavaScript').toBeGreaterThan(seeds / 2)
  expect(changed, 'calls made static').toBeGreaterThan(5 * seeds)
  expect(notEvaluated, 'arguments of what was off').toBeGreaterThan(5 * seeds)
})
