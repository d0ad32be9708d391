// relay/test/trust.test.ts: whose session it is, what who connects may do, and whose a socket and a folder are.

import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  connectControl,
  connectFleet,
  inMadeFolder,
  inOwnFolder,
  startRelay,
  writeStanding,
} from '../src/index.js'
import { connect, makeHello, makePut, tracepoint } from './client.js'
import { encode, StreamWriter } from './ctf-writer.js'
import { folder, relayIn, until } from './helpers.js'

const asRoot = test.skipIf(process.getuid?.() !== 0)
const stranger = 65534

/** A traced process that puts one event a call. */
async function traced(address: string, hello: ReturnType<typeof makeHello>) {
  const client = await connect(address)
  onTestFinished(() => client.end())
  await client.hello(hello)
  await client.declare([tracepoint(0, 'p:e')])
  const writer = new StreamWriter(hello.uuid, 0)
  writer.start(1n)
  let sequence = 0
  const put = () => {
    writer.event(0, BigInt(++sequence), encode('u32', sequence))
    return client.put(makePut(0, sequence, writer.take()))
  }
  return { ...client, put }
}

const eventsOf = (relay: Awaited<ReturnType<typeof relayIn>>) => relay.stats().processes[0]?.events

/** Says hello and is refused for its secret. */
async function refused(address: string, hello: ReturnType<typeof makeHello>) {
  const client = await connect(address)
  onTestFinished(() => client.end())
  await expect(client.hello(hello)).rejects.toMatchObject({
    reason: 2,
    message: expect.stringMatching(
      /^hello.secret is (missing|not the one this session began with); expected/,
    ),
  })
  await client.closed
}

test("who knows a session's uuid and not its secret is refused, and the session goes on", async () => {
  const relay = await relayIn(folder())
  const own = { uuid: randomBytes(16), secret: randomBytes(16) }
  const owner = await traced(relay.address, makeHello(own))
  await owner.put()
  let isGone = false
  void owner.closed.then(() => {
    isGone = true
  })
  await refused(relay.address, makeHello({ ...own, secret: randomBytes(16) }))
  await refused(relay.address, makeHello({ ...own, secret: undefined }))
  await owner.put()
  expect(isGone).toBe(false)
  expect(eventsOf(relay)).toBe(2)
  owner.end()
  await until(() => relay.stats().processes[0]?.connected === false)
  await refused(relay.address, makeHello({ ...own, secret: randomBytes(16) }))
  const again = await connect(relay.address)
  onTestFinished(() => again.end())
  const { held } = await again.hello(makeHello(own))
  expect(held.map(({ sequence }: { sequence: { toNumber(): number } }) => sequence.toNumber())).toEqual([2])
  expect(relay.stats().rejections).toMatchObject([{ what: 'connection', reason: 'hello refused', count: 3 }])
})

test('a relay that starts again knows whose session it was, and a stranger who is first bars nobody', async () => {
  const output = folder()
  const own = { uuid: randomBytes(16), secret: randomBytes(16) }
  const before = await relayIn(output)
  await (await traced(before.address, makeHello(own))).put()
  await before.close()
  const [trace = ''] = readdirSync(output).filter((name) => !name.startsWith('.'))
  const kept = join(output, trace, '.secret')
  expect(statSync(kept).mode & 0o777).toBe(0o600)
  expect(readFileSync(kept, 'utf8'), 'who reads it cannot show the secret').not.toContain(
    own.secret.toString('hex'),
  )
  const after = await relayIn(output)
  await refused(after.address, makeHello({ ...own, secret: randomBytes(16) }))
  await refused(after.address, makeHello({ ...own, secret: undefined }))
  const owner = await connect(after.address)
  onTestFinished(() => owner.end())
  expect((await owner.hello(makeHello(own))).held).toHaveLength(1)
})

test('a session of an older tracer, which has no secret, comes again as ever', async () => {
  const output = folder()
  const uuid = randomBytes(16)
  const before = await relayIn(output)
  await (await traced(before.address, makeHello({ uuid }))).put()
  await before.close()
  const after = await relayIn(output)
  const again = await connect(after.address)
  onTestFinished(() => again.end())
  expect((await again.hello(makeHello({ uuid }))).held).toHaveLength(1)
})

test('a secret of another length is refused, with what is expected', async () => {
  const relay = await relayIn(folder())
  const client = await connect(relay.address)
  onTestFinished(() => client.end())
  const hello = makeHello({ secret: Buffer.alloc(15) })
  await expect(client.hello(hello)).rejects.toMatchObject({
    message: 'hello.secret is 15 bytes; expected 16 bytes',
  })
})

test('without a token who comes by TCP may bring events, and neither see nor switch anything', async () => {
  const relay = await relayIn(folder())
  await expect(connectFleet(relay.address)).rejects.toMatchObject({
    reason: 'TOKEN',
    message: 'greet: with no token a client may write here; expected one that may read',
  })
  await (await traced(relay.address, makeHello())).put()
  const own = await connectFleet(relay.socket)
  onTestFinished(() => own.close())
  expect(await own.processes()).toHaveLength(1)
  expect(await own.enable({ target: '*', pattern: 'a:*' })).toHaveLength(1)
})

const tokens = { token: 'write', readToken: 'read', controlToken: 'control' }

test('a token for each right gives that right and no other', async () => {
  const relay = await relayIn(folder(), { ...tokens, tracing: { listen: '127.0.0.1:0' } })
  const rule = { target: '*', pattern: 'a:*' }
  await expect(connectFleet(relay.address, 'write')).rejects.toMatchObject({
    message: 'greet: with this token a client may write here; expected one that may read',
  })
  const reader = await connectFleet(relay.address, 'read')
  const controller = await connectFleet(relay.address, 'control')
  onTestFinished(() => {
    for (const one of [reader, controller]) one.close()
  })
  expect(await reader.processes()).toEqual([])
  await expect(reader.enable(rule)).rejects.toMatchObject({
    reason: 'TOKEN',
    message: 'with this token a client may read here; expected one that may control',
  })
  await expect(reader.disable('*', 'a:*')).rejects.toMatchObject({ reason: 'TOKEN' })
  expect(await controller.enable(rule)).toHaveLength(1)
  for (const token of ['read', 'control']) {
    const client = await connect(relay.address)
    onTestFinished(() => client.end())
    await expect(client.hello(makeHello({ token }))).rejects.toMatchObject({ reason: 2 })
  }
  const asked = async (method: string, token: string) =>
    (
      await fetch(`http://${relay.httpAddress}/api/v2/${method === 'GET' ? 'services' : 'spans'}`, {
        ...{ method, headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' } },
        ...(method === 'GET' ? {} : { body: '[]' }),
      })
    ).status
  expect([await asked('GET', 'read'), await asked('GET', 'control'), await asked('GET', 'write')]).toEqual([
    200, 200, 401,
  ])
  expect([await asked('POST', 'write'), await asked('POST', 'read')]).toEqual([202, 401])
})

test('a token opens all that has no token of its own', async () => {
  const relay = await relayIn(folder(), { token: 'write', controlToken: 'control' })
  const reader = await connectFleet(relay.address, 'write')
  onTestFinished(() => reader.close())
  expect(await reader.processes()).toEqual([])
  await expect(reader.enable({ target: '*', pattern: 'a:*' })).rejects.toMatchObject({ reason: 'TOKEN' })
})

test('a socket is its owner’s alone; where there is a token it is for everybody who shows that', async () => {
  const here = folder()
  const own = await startRelay({ listen: `unix:${join(here, 'own')}`, output: folder() })
  const open = await startRelay({ listen: `unix:${join(here, 'open')}`, output: folder(), token: 'right' })
  onTestFinished(() => Promise.all([own.close(), open.close()]).then(() => {}))
  expect(own.address).toBe(`unix:${join(here, 'own')}`)
  const mode = (name: string) => statSync(join(here, name)).mode & 0o777
  expect([mode('own'), mode('open')]).toEqual([0o600, 0o666])
  const fleet = await connectFleet(own.address)
  fleet.close()
  await expect(connectFleet(open.address)).rejects.toMatchObject({ reason: 'TOKEN' })
  const shown = await connectFleet(open.address, 'right')
  shown.close()
  expect(readdirSync(here).sort(), 'nothing else is left').toEqual(['open', 'own'])
})

test('a socket takes the place of a dead one, and of nothing else; it goes with its relay', async () => {
  const path = join(folder(), 'relay')
  const listen = `unix:${path}`
  const first = await startRelay({ listen, output: folder() })
  await expect(startRelay({ listen, output: folder() })).rejects.toThrow(
    `listen is "${listen}": somebody listens there; expected a name that is free`,
  )
  await first.close()
  expect(existsSync(path)).toBe(false)
  writeFileSync(path, 'a file')
  await expect(startRelay({ listen, output: folder() })).rejects.toThrow('a file of another kind is there')
  expect(readFileSync(path, 'utf8')).toBe('a file')
  for (const [bad, why] of [
    ['unix:relay', /expected unix: and an absolute path/],
    [`unix:/${'x'.repeat(100)}`, /expected unix: and an absolute path of at most 98 bytes/],
    ['unix:/nowhere/relay', /ENOENT; expected a folder to write to/],
  ] as const)
    await expect(startRelay({ listen: bad, output: folder() })).rejects.toThrow(why)
})

asRoot(
  'nothing is said to a socket that belongs to another user, or lies where others may put one',
  async () => {
    const here = folder()
    const path = join(here, 'control')
    let heard = 0
    const server = createServer(() => void heard++).listen(path)
    onTestFinished(() => void server.close())
    await until(() => existsSync(path))
    chownSync(path, stranger, stranger)
    await expect(connectControl(path)).rejects.toMatchObject({
      code: 'ERR_BLKIN_DENIED',
      message: `${path}: it belongs to uid ${stranger}; expected a socket of uid 0 or root`,
    })
    await expect(connectFleet(`unix:${path}`, 'secret')).rejects.toMatchObject({ code: 'ERR_BLKIN_DENIED' })
    chownSync(path, 0, 0)
    chmodSync(here, 0o777)
    await expect(connectFleet(`unix:${path}`, 'secret')).rejects.toThrow(
      'others may put a socket into its folder',
    )
    expect(heard).toBe(0)
  },
)

test('a folder is used that is this user’s alone, and no other', async () => {
  const here = folder()
  const work = async (at: string) => readdirSync(at)
  expect(await inOwnFolder(join(here, 'none'), work)).toBe(undefined)
  expect(await inMadeFolder(join(here, 'made'), work)).toEqual([])
  expect(statSync(join(here, 'made')).mode & 0o777).toBe(0o700)
  symlinkSync(join(here, 'made'), join(here, 'link'))
  writeFileSync(join(here, 'file'), '')
  mkdirSync(join(here, 'open'))
  chmodSync(join(here, 'open'), 0o755)
  for (const [name, why] of [
    ['link', /link: it is a link, or no folder; expected a folder of yours alone/],
    ['file', /file: it is a link, or no folder/],
    ['open', /open: its mode is 0755; expected 0700, a folder of yours alone/],
  ] as const)
    await expect(inOwnFolder(join(here, name), work)).rejects.toThrow(why)
})

asRoot('a folder of another user is not used', async () => {
  const here = join(folder(), 'theirs')
  mkdirSync(here, { mode: 0o700 })
  chownSync(here, stranger, stranger)
  await expect(inOwnFolder(here, async () => 'used')).rejects.toThrow(
    `${here}: it belongs to uid ${stranger}; expected a folder of uid 0 alone`,
  )
  await expect(writeStanding(here, [])).rejects.toThrow('it belongs to uid')
  expect(readdirSync(here)).toEqual([])
})

test('what a relay and a command write goes through no link that was there before', async () => {
  const here = join(folder(), 'own')
  const victim = join(folder(), 'victim')
  mkdirSync(here, { mode: 0o700 })
  writeFileSync(victim, 'untouched')
  symlinkSync(victim, join(here, `standing.${process.pid}.new`))
  await writeStanding(here, [{ target: '*', pattern: 'a:b' }])
  expect(readdirSync(here)).toEqual(['standing'])
  expect(readFileSync(victim, 'utf8')).toBe('untouched')
})
