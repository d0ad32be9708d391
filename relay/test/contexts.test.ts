// relay/test/contexts.test.ts: the contexts of a session, from its hello to what a reader shows; bad ones at the door.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTrace, view } from '../src/index.js'
import { types } from '../src/protocol/wire.js'
import { connect, field, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { babeltrace, collect, folder, hasBabeltrace, relayIn } from './helpers.js'

const { Type, Shape } = types
const contexts = [field('tid', Type.U32), field('thread', Type.STRING), field('span', Type.U64)]

test('contexts of a hello stand between cpu and fields, as babeltrace2 shows them', async (t) => {
  if (!hasBabeltrace) t.skip('babeltrace2 is not installed')
  const output = folder()
  const relay = await relayIn(output)
  const client = await connect(relay.address)
  const hello = makeHello({ session: 'ad-hoc', contexts })
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  const context = [encode('u32', 7), encode('string', 'worker 1'), encode('u64', 0xfedcba9876543210n)]
  writer.event(0, 5n, Buffer.concat([...context, encode('u32', 9)]))
  await client.put(makePut(0, 1, writer.take()))
  client.end()
  const text = collect()
  await view({ path: output, output: text })
  expect(text.text()).toBe(babeltrace(output).text)
  expect(text.text()).toContain(
    '{ cpu_id = 0 }, { tid = 7, thread = "worker 1", span = 0xFEDCBA9876543210 }, { n = 9 }',
  )
  const json = collect()
  await view({ path: output, output: json, json: true })
  expect(json.text()).toContain(
    '"cpu":0,"context":{"tid":7,"thread":"worker 1","span":"fedcba9876543210"},"fields":{"n":9}}',
  )
  for await (const item of readTrace(output)) {
    expect(item.trace.session).toBe('ad-hoc')
    expect(item).toMatchObject({ context: { tid: 7, span: 0xfedcba9876543210n }, fields: { n: 9 } })
  }
})

test('a session that comes again must have the contexts its trace began with', async () => {
  const relay = await relayIn(folder())
  const first = await connect(relay.address)
  const hello = makeHello({ contexts })
  await first.hello(hello)
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  await first.put(makePut(0, 1, writer.take(), { events: 0 }))
  for (const other of [undefined, contexts.slice(1)]) {
    const client = await connect(relay.address)
    await expect(client.hello(makeHello({ uuid: hello.uuid, contexts: other }))).rejects.toThrow(
      /contexts differ from those this trace began with/,
    )
    client.end()
  }
  const again = await connect(relay.address)
  await again.hello(hello)
  again.end()
})

const refused: [string, object, RegExp][] = [
  [
    'a name that is none',
    { contexts: [field('t id', Type.U8)] },
    /field t id: name is "t id"; expected 1 to 100/,
  ],
  [
    'a sequence',
    { contexts: [field('s', Type.U8, { shape: Shape.SEQUENCE })] },
    /s: shape is 2; expected SCALAR/,
  ],
  ['bytes', { contexts: [field('b', Type.BYTES)] }, /hello.contexts: b: type is "BYTES"; expected a scalar/],
  ['a name twice', { contexts: [field('a', Type.U8), field('a', Type.U8)] }, /two fields make "_a"/],
  [
    '33 contexts',
    { contexts: Array.from({ length: 33 }, (_, i) => field(`c${i}`, Type.U8)) },
    /contexts is "33 long"; expected at most 32/,
  ],
  ['a session with a slash', { session: '../x' }, /session is "..\/x"; expected 1 to 64 letters/],
]

for (const [name, changes, message] of refused) {
  test(`a hello with ${name} is refused, and leaves no folder`, async () => {
    const output = folder()
    const relay = await relayIn(output)
    const client = await connect(relay.address)
    await expect(client.hello(makeHello(changes as never))).rejects.toThrow(message)
    expect(readdirSync(join(output))).toEqual([])
    client.end()
  })
}
