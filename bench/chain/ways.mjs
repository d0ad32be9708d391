// bench/chain/ways.mjs: the ways that a write takes to its objects: what to start for each, and why it cannot be where it cannot.
//   perWrite   events of a write, by form, and spans of a recorded one: checked against what was recorded
//   open       starts what keeps the objects; client: who writes to the exports of all states
//   slack      events that a run of fio adds beside its writes: handshakes, a guest that looks at its new disk
//   states     that are measured there; all where nothing is said
import { cephPackages, startCeph, whyNoCeph } from '../../scripts/lib/ceph.mjs'
import { missingPackages } from '../../scripts/lib/debian.mjs'
import { guestPackages, startGuest, whyNoGuest } from '../../scripts/lib/guest.mjs'
import { fioByNbd, written } from './fio.mjs'
import { annotations } from './path.mjs'

const nothing = async () => {}
/** Objects in files of two store processes. */
const files = async () => ({ objects: ['--stores', '2'], close: nothing })
const byNbd = async () => ({ load: fioByNbd, close: nothing })
/** One guest for all states, each of which has a disk in it: all meet the same emulation. */
async function inGuest(uris) {
  const guest = await startGuest(uris, { merging: false }) // a write of fio is one of NBD
  const load = async (uri, job) => written(await guest.fio(uris.indexOf(uri), job))
  return { load, close: guest.stop }
}

const whyNoFio = () => (missingPackages(['fio']).length === 0 ? undefined : 'fio not installed')

export const ways = [
  {
    id: 'nbd',
    says: 'fio by NBD, two file stores',
    perWrite: { store: 7, steps: annotations, spans: 5 },
    slack: 8,
    packages: ['fio'],
    whyNot: whyNoFio,
    open: files,
    client: byNbd,
  },
  {
    id: 'guest',
    says: 'fio in a QEMU guest, two file stores',
    perWrite: { store: 7, steps: annotations, spans: 5 },
    slack: 400,
    states: ['none', 'off', 'live', 'every', 'off113', 'live113'],
    packages: guestPackages,
    whyNot: () => whyNoFio() ?? whyNoGuest(),
    open: files,
    client: inGuest,
  },
  {
    id: 'rados',
    says: 'fio by NBD, a RADOS cluster of two OSDs',
    perWrite: { store: 5, steps: 71, spans: 4 },
    slack: 8,
    states: ['none', 'off', 'live', 'sampled', 'every', 'off113', 'live113'],
    packages: ['fio', ...cephPackages],
    whyNot: () => whyNoFio() ?? whyNoCeph(),
    open: async () => {
      const { rados, stop } = await startCeph(2)
      return { objects: ['--rados', rados], close: stop }
    },
    client: byNbd,
  },
]
