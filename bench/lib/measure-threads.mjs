// bench/lib/measure-threads.mjs: runs bench/js/threads.mjs with 1, 2 and 4 Workers that emit at once, in turns.
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'
import { spread } from './stats.mjs'

const counts = [1, 2, 4]

/** @returns a list of { threads, perSecond, cpuNs }, each a median with quartiles */
export async function measureThreads(node, { rounds, events }) {
  const child = new Child(node, [join(root, 'bench/js/threads.mjs')], {
    env: { ...process.env, BLKIN_ENABLE: '' },
  })
  try {
    const runs = counts.map((threads) => ({ threads, perSecond: [], cpuNs: [] }))
    for (let round = 0; round < rounds; round++)
      for (const run of runs) {
        const { perSecond, cpuNs } = JSON.parse(await child.ask(`go ${run.threads} ${events}`))
        run.perSecond.push(perSecond)
        run.cpuNs.push(cpuNs)
      }
    return runs.map(({ threads, perSecond, cpuNs }) => ({
      threads,
      perSecond: spread(perSecond),
      cpuNs: spread(cpuNs),
    }))
  } finally {
    await child.end()
  }
}
