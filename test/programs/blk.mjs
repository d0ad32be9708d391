// test/programs/blk.mjs: emits as many pairs of events as its first argument says, then ends as its second says.
import { provider, t } from 'blkin'

const blk = provider('blockstore', {
  request: {
    level: 'info',
    fields: { op: t.enum(['read', 'write', 'flush']), offset: t.u64, length: t.u32 },
  },
  mapped: { fields: { object: t.string, offset: t.u32 } },
})

const [pairs = '10', end = 'return'] = process.argv.slice(2)
for (let i = 0; i < Number(pairs); i++) {
  blk.request({ op: 'write', offset: i * 4096, length: 4096 })
  blk.mapped({ object: `disk0.${i}`, offset: i })
}
process.stdout.write('emitted\n')
if (end === 'exit') process.exit(7)
if (end === 'throw') throw new Error('as asked')
if (end === 'kill') process.kill(process.pid, 'SIGKILL')
if (end === 'wait') setInterval(() => {}, 1000)
if (end === 'block') while (true);
