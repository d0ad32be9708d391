// bench/chain/fio.mjs: fio on the block store's export by NBD: one slice of a workload. bench/chain/measure.mjs asks for it.
import { mustRun } from '../../scripts/lib/run.mjs'

/** Under the size of the disk, so that both workloads write the same objects over and over. */
const size = '48m'

/** fio's options of one workload of states.mjs, for as long. */
export const jobOf = ({ rw, bs }, seconds) => ({
  rw,
  bs,
  iodepth: 16,
  size,
  time_based: 1,
  runtime: `${Math.round(seconds * 1000)}ms`,
})

/** @returns what fio says of its writes, as written() has it */
export async function fioByNbd(uri, job) {
  const options = { name: 'chain', ioengine: 'nbd', uri, 'output-format': 'json', ...job }
  const flags = Object.entries(options).map(([key, value]) => `--${key}=${value}`)
  const said = await mustRun('fio', flags)
  return written(JSON.parse(said.slice(said.indexOf('{'))).jobs[0])
}

/** Writes, seconds that they took, and seconds of processor time that fio itself used. */
export function written({ error, write, usr_cpu: user, sys_cpu: system, job_runtime: ms }) {
  if (error !== 0) throw new Error(`fio: error ${error}`)
  return {
    writes: write.total_ios,
    seconds: write.runtime / 1000,
    fio: ((user + system) / 100) * (ms / 1000),
  }
}
