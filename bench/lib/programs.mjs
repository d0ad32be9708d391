// bench/lib/programs.mjs: which programs are measured with tracepoints that are off, and what they shall cost at most: the time of the
// job with them to the job without. A table and nothing else.
//   count   how many tracepoints the job has
//   shape   one: all stand in one function; ten: spread over ten small functions, which V8 inlines where nothing is in them
//   form    how they are called: plain (no transform), guarded (by hand), transformed
//   been    they were on before
import { jobName } from './job.mjs'

export const counts = [1, 5, 50, 113]
export const shapes = { one: 'in one function', ten: 'spread over ten' }
export const programForms = { transformed: 'transformed', guarded: 'guarded by hand', plain: 'plain calls' }

/** @type {{ shape: string, form: string, count: number, been: boolean }[]} */
export const programs = Object.keys(shapes).flatMap((shape) => [
  { shape, form: 'none', count: 0, been: false },
  ...Object.keys(programForms).flatMap((form) =>
    counts.flatMap((count) => [false, true].map((been) => ({ shape, form, count, been }))),
  ),
])

/** The job without tracepoints that this one is held against. */
export const baseOf = ({ shape }) => jobName({ shape, form: 'none', count: 0, been: false })

const most = {
  transformed: { 50: [1.02, 1.04], 113: [1.04, 1.06] },
  guarded: { 50: [1.02, 1.04], 113: [1.04, 1.06] },
}

/** The ratio that it shall have at most; undefined where none was set. Nodes after 20 allow no target for plain calls: docs/static.md. */
export function programTarget({ shape, form, count, been }, line) {
  if (shape !== 'one') return undefined
  if (form === 'plain') return count === 50 && line === 20 ? 1.1 : undefined
  return most[form]?.[count]?.[been ? 1 : 0]
}
