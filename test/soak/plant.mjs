// test/soak/plant.mjs: faults to be found, for `npm run soak -- 3 --plant=NAME,...`: the soak must fail with each of them, or it shows nothing.
// Loaded into the steady relay (--import) for the first three; the programs look for the last themselves.
import { mkdtempSync, openSync } from 'node:fs'
import { Server } from 'node:net'

const kept = []

/** Done at each connection that the relay takes. */
const faults = {
  descriptor: () => openSync('/dev/null'),
  memory: () => kept.push(Array.from({ length: 16_384 }, (_, i) => ({ i }))),
  folder: () => mkdtempSync('/dev/shm/blkin-planted-'),
}
const planted = Object.keys(faults).filter((name) => process.env.SOAK_PLANT?.split(',').includes(name))

if (planted.length > 0) {
  const { emit } = Server.prototype
  Server.prototype.emit = function (event, ...rest) {
    if (event === 'connection') {
      for (const name of planted) faults[name]()
    }
    return emit.call(this, event, ...rest)
  }
}
