// bench/lib/measure-programs.mjs: runs bench/js/programs.mjs under one Node, and says what tracepoints that are off add to a job.
import { join } from 'node:path'
import { root } from '../../scripts/lib/run.mjs'
import { Child } from './child.mjs'
import { jobName } from './job.mjs'
import { programs } from './programs.mjs'
import { quantile, summary } from './stats.mjs'

/**
 * @param {string[]} [names] all where not given
 * @returns by name { ratio: of the job with them to the one without, ns: of the one without }
 */
export async function measurePrograms(node, { rounds, warm, names = programs.map(jobName) }) {
  const env = { ...process.env, BLKIN_ENABLE: '' }
  const child = new Child(node, [join(root, 'bench/js/programs.mjs'), rounds, warm, ...names], { env })
  const measured = JSON.parse(await child.hear())
  await child.end()
  return Object.fromEntries(
    Object.entries(measured).map(([name, pairs]) => [
      name,
      {
        ratio: summary(pairs.map(([ns, without]) => ns / without)),
        ns: quantile(
          pairs.map(([, without]) => without),
          0.5,
        ),
      },
    ]),
  )
}
