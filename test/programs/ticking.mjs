// test/programs/ticking.mjs: emits a request, what it is mapped to, and its reply, so many times a second, until it is
// killed: what commands that attach find. Arguments: times a second; `block`: the event loop never turns.
import { provider, t } from 'blkin'

const op = t.enum(['read', 'write', 'flush'])
const blk = provider('blockstore', {
  request: { level: 'info', fields: { id: t.u64, op, length: t.u32 } },
  reply: { level: 'info', fields: { id: t.u64, op, length: t.u32 } },
  mapped: { level: 'debug_module', fields: { object: t.string, offset: t.u32 } },
})

const [rate = '100', how = 'turn'] = process.argv.slice(2)
const every = Math.max(1, 1000 / Number(rate))
const each = Math.max(1, Math.round((Number(rate) * every) / 1000))
let id = 0

function emit() {
  for (let i = 0; i < each; i++) {
    const length = (id % 32) * 4096
    blk.request({ id, op: id % 2 ? 'write' : 'read', length })
    blk.mapped({ object: `disk0.${id}`, offset: id })
    blk.reply({ id, op: id % 2 ? 'write' : 'read', length })
    id++
  }
}

process.stdout.write(`ticking ${process.pid}\n`)
if (how === 'block') {
  for (let next = performance.now(); ; ) {
    while (performance.now() < next);
    next += every
    emit()
  }
}
setInterval(emit, every)
