// bench/lib/job.mjs: a program in small, as the text of two modules: the tracepoints, and a job of two microseconds (parse, ten steps,
// hash, answer) that has them. bench/lib/programs.mjs lists which there are; bench/js/programs.mjs runs them. Pure.
import { Rewriter } from '../../dist/transform/rewrite.js'

const steps = Array.from({ length: 10 }, (_, step) => step)
const numbered = (count) => Array.from({ length: count }, (_, k) => k)

export const jobName = ({ count, shape, form, been }) =>
  form === 'none' ? `${shape}.none` : `${shape}.${count}.${form}.${been ? 'been' : 'never'}`

/** Their provider's name. */
const providerName = (job) => jobName(job).replaceAll('.', '_')

const values = '({ a: x, b: i, c: 4096 })'
const forms = {
  none: { take: () => '', point: () => '' },
  plain: { take: () => '', point: (k) => `p.point${k}${values}` },
  transformed: { take: () => '', point: (k) => `p.point${k}${values}` },
  guarded: {
    take: (count) => `const { ${numbered(count).map((k) => `point${k}`)} } = p`,
    point: (k) => `if (point${k}.on[0]) point${k}${values}`,
  },
}

export function tracepointsSource(job) {
  const events = numbered(job.count).map((k) => `point${k}: three`)
  return `import { provider, t } from 'blkin'
const three = { level: 'info', fields: { a: t.u32, b: t.u32, c: t.u32 } }
export const p = provider('${providerName(job)}', { ${events} })
`
}

/** Exports `run(turns)`; the tracepoints come from `points`. */
export function jobSource(job, points) {
  const { count, shape, form } = job
  const { take, point } = forms[form]
  const work = (step) => {
    const here = numbered(count).filter((k) => k % steps.length === step)
    return [...here.map(point), `sum = (sum + body.blocks[${step % 8}] * x) | 0`].join('\n  ')
  }
  const apart = (step) => `function step${step}(x, i, body, sum) {\n  ${work(step)}\n  return sum\n}\n`
  const source = `import { createHash } from 'node:crypto'
${form === 'none' ? '' : `import { p } from '${points}'`}
${take(count)}
const sink = new Uint32Array(256)
${shape === 'ten' ? steps.map(apart).join('') : ''}
function job(x, i) {
  const body = JSON.parse('{"id":' + x + ',"volume":"volume-07","blocks":[1,2,3,4,5,6,7,8],"tags":{"user":"u1"}}')
  let sum = 0
  for (const block of body.blocks) sum = (sum + block * x) | 0
  ${steps.map((step) => (shape === 'ten' ? `sum = step${step}(x, i, body, sum)` : work(step))).join('\n  ')}
  const digest = createHash('sha1').update(body.volume).update(String(sum)).digest('hex')
  sink[x >>> 24] = JSON.stringify({ id: body.id, digest, sum }).length
}
export function run(turns) {
  let x = turns >>> 0
  for (let i = 0; i < turns; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    job(x, i)
  }
}
`
  return form === 'transformed' ? transformed(source, points, job) : source
}

/** The source as `blkin/register` and the plugin make it. */
function transformed(source, points, job) {
  const following = new Rewriter().rewrite({ file: 'job.mjs', code: source })
  const files = { blkin: 'blkin', [points]: { file: points, code: tracepointsSource(job) } }
  let step = following.next()
  while (!step.done) step = following.next(files[step.value.specifier])
  if (step.value?.changed !== job.count)
    throw new Error(`${step.value?.changed} of ${job.count} calls are static`)
  return step.value.code
}
