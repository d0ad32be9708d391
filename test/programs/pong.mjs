// test/programs/pong.mjs: the other side of ping.mjs, as pong.c is, in a second traced node process.
import { readSync, writeSync } from 'node:fs'
import { provider, t } from 'blkin'

const { turn } = provider('pong', { turn: { fields: { n: t.u32 } } })
const byte = Buffer.from('r')
writeSync(1, byte)
for (let n = 1; readSync(0, byte) === 1; n += 2) {
  turn({ n })
  writeSync(1, byte)
}
