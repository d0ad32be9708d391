// test/programs/fake-control.mjs: answers Control as a traced process would, from a state in memory: what a command says
// of answers that no real process can be brought to give. Arguments: the folder to make, and a program's name.

import { mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'

const require = createRequire(new URL('../../relay/package.json', import.meta.url))
const thrift = require('thrift')
const Int64 = require('node-int64')
const types = require('./gen/blkin_types.js')
const { Processor } = require('./gen/Control.js')

const [folder, program] = process.argv.slice(2)
mkdirSync(folder, { recursive: true, mode: 0o700 })

const i64 = (n) => new Int64(n)
const lost = () => new types.Lost({ noRoom: i64(0), tooBig: i64(0), badValue: i64(0), noRing: i64(0) })
const names = ['blockstore:request', 'blockstore:reply', 'blockstore:mapped', 'objstore:client_send']
const tracepoints = names.map((name, id) => {
  const [provider, event] = name.split(':')
  const fields = [
    new types.Field({ name: 'id', type: types.Type.U64, shape: 0 }),
    new types.Field({ name: 'length', type: types.Type.U32, shape: 0 }),
  ]
  return new types.Tracepoint({ id, provider, event, level: id === 2 ? 10 : 6, fields })
})
const spec = (name) =>
  new types.SessionSpec({
    name,
    relay: '127.0.0.1:4650',
    ack: types.Ack.WRITTEN,
    channel: new types.Channel({ subBufferBytes: i64(1048576), subBuffers: 4, mode: types.Mode.DISCARD }),
    contexts: [],
    attached: false,
  })
const sessions = new Map([['default', { spec: spec('default'), rules: [], events: 0 }]])
let nextRule = 1

const glob = (pattern) => new RegExp(`^${pattern.replaceAll('.', '\\.').replaceAll('*', '[^:]*')}$`)
const covered = ({ pattern, exclude = [], level = 14, exactly = false }) =>
  tracepoints.filter((one) => {
    const name = `${one.provider}:${one.event}`
    const severe = exactly ? one.level === level : one.level <= level
    return severe && glob(pattern).test(name) && !exclude.some((each) => glob(each).test(name))
  })
const decides = ({ rules }, one) => rules.findLast((rule) => covered(rule).includes(one))
const enabled = (session) => tracepoints.filter((one) => decides(session, one)?.on).length
const session = (name) => {
  const found = sessions.get(name)
  if (found) return found
  const message = `session "${name}": there are ${[...sessions.keys()].join(', ')}`
  throw new types.Refused({ reason: types.Refusal.NO_SESSION, message })
}
const stateOf = (one) =>
  new types.SessionState({
    spec: one.spec,
    uuid: Buffer.alloc(16, 1),
    relayState: 'connected',
    relayError: '',
    events: i64(one.events),
    bytesSent: i64(0),
    lost: lost(),
    rules: one.rules,
    enabled: enabled(one),
    ringBytes: i64(0),
  })

const handler = {
  async process() {
    for (const one of sessions.values()) one.events += enabled(one) * 1000
    return new types.ProcessState({
      pid: process.pid,
      program,
      startedAt: i64(Date.now() * 1e6),
      hostname: 'here',
      version: '0.1.0',
      tracepoints: tracepoints.length,
      sessions: [...sessions.values()].map(stateOf),
    })
  },
  async tracepoints(first) {
    const states = tracepoints.slice(first).map((tracepoint) => {
      const on = [...sessions].flatMap(([name, one]) => {
        const rule = decides(one, tracepoint)
        return rule?.on ? [new types.On({ session: name, rule: rule.id })] : []
      })
      return new types.TracepointState({ tracepoint, on })
    })
    return new types.TracepointStates({ tracepoints: states, total: tracepoints.length })
  },
  async openSession(wanted) {
    sessions.set(wanted.name, { spec: wanted, rules: [], events: 0 })
    return stateOf(session(wanted.name))
  },
  async changeSession(wanted) {
    session(wanted.name).spec = wanted
    return stateOf(session(wanted.name))
  },
  async closeSession(name, _timeoutMs) {
    const last = stateOf(session(name))
    sessions.delete(name)
    return new types.Closed({ last, delivered: true })
  },
  async enable(name, rule) {
    const one = session(name)
    rule.id = nextRule++
    one.rules.push(rule)
    const unfit = rule.filter ? ['blockstore:reply: no field "nope"'] : []
    return new types.Changed({ rule: rule.id, covered: covered(rule).length, enabled: enabled(one), unfit })
  },
  async disable(name, pattern) {
    const one = session(name)
    const count = covered({ pattern }).length
    one.rules.push(
      new types.Rule({
        ...{ id: nextRule++, on: false, pattern, exclude: [], level: 14, exactly: false },
        origin: types.Origin.CONTROL,
      }),
    )
    return new types.Changed({ rule: nextRule - 1, covered: count, enabled: enabled(one), unfit: [] })
  },
  async flush(_name, _timeoutMs) {
    return true
  },
}

createServer((socket) => {
  const processor = new Processor(handler)
  socket.on('error', () => {})
  socket.on(
    'data',
    thrift.TFramedTransport.receiver((transport) => {
      const flushed = (answer) => socket.write(answer)
      const output = new thrift.TBinaryProtocol(new thrift.TFramedTransport(undefined, flushed), true, true)
      processor.process(new thrift.TBinaryProtocol(transport, true, true), output)
    }),
  )
}).listen(join(folder, 'control'), () => process.stdout.write('ready\n'))
