// test/programs/documented.mjs: has what the commands in the pages ask for: blockstore:request, mapped and reply, a pair in
// objstore, and slow spans with the tag op, until it is killed.
import { provider, t, trace } from 'blkin'

const op = t.enum(['read', 'write', 'flush'])
const blk = provider('blockstore', {
  request: { level: 'info', fields: { op, offset: t.u64, length: t.u32 } },
  reply: { level: 'info', fields: { op, offset: t.u64, length: t.u32 } },
  mapped: { level: 'debug', fields: { object: t.string, offset: t.u32 } },
})
const obj = provider('objstore', {
  client_send: { fields: { id: t.u32, tag: t.u32 } },
  client_receive: { fields: { id: t.u32, tag: t.u32 } },
})

let n = 0
setInterval(() => {
  n++
  const request = { op: 'write', offset: n * 4096, length: 131072 }
  blk.request(request)
  blk.mapped({ object: `disk0.${n}`, offset: n })
  obj.client_send({ id: n, tag: 1 })
  obj.client_receive({ id: n, tag: 1 })
  blk.reply(request)
}, 5)
setInterval(() => {
  const span = trace.start('write', { kind: 'server', tags: { op: 'write' } })
  setTimeout(() => span.end(), 25)
}, 200)
process.stdout.write('ready\n')
