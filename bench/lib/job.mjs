// bench/lib/job.mjs: a program in small, as source text: a job of two microseconds (parse, ten steps, hash, answer) with so many
// tracepoints in it. Pure. bench/js/programs.mjs makes modules of it; the rows of bench/lib/programs.mjs say which.
//
//   count   how many tracepoints
//   shape   one: all stand in one function; ten: spread over ten small functions, which V8 inlines where nothing is in them
//   form    none, plain (`p.point0({ ... })`), guarded (by hand, as docs/static.md has it), transformed (by lib/transform)
import { Rewriter } from '../../dist/transform/rewrite.js'

const stepCount = 10
const steps = Array.from({ length: stepCount }, (_, step) => step)

export const nameOf = ({ count, shape, form, been }) =>
  form === 'none' ? `${shape}.none` : `${shape}.${count}.${form}.${been ? 'been' : 'never'}`

const call = (k) => `p.point${k}({ a: x, b: i, c: 4096 })`
const points = {
  none: () => '',
  plain: call,
  guarded: (k) => `if (p.point${k}.on[0]) ${call(k)}`,
  taken: (k) => `if (point${k}.on[0]) point${k}({ a: x, b: i, c: 4096 })`,
  hoisted: (k) => `if (on${k}[0]) ${call(k)}`,
  enabled: (k) => `if (p.point${k}.enabled) ${call(k)}`,
  transformed: call,
}

function body(step, { count, form }) {
  const here = Array.from({ length: count }, (_, k) => k).filter((k) => k % stepCount === step)
  return `${here.map(points[form]).join('\n')}\nsum = (sum + body.blocks[${step % 8}] * x) | 0`
}

const stepFunction = (step, job) =>
  `function step${step}(x, i, body, sum) { ${body(step, job)}\n return sum }`
const stepCall = (step) => `sum = step${step}(x, i, body, sum)`

/** Exports `run(turns)`, and `p` where there are tracepoints. */
export function jobSource(job) {
  const { count, shape, form } = job
  const middle = steps.map((step) => (shape === 'one' ? body(step, job) : stepCall(step))).join('\n')
  const declaration = `import { provider, t } from 'blkin'
const three = { level: 'info', fields: { a: t.u32, b: t.u32, c: t.u32 } }
export const p = provider('${nameOf(job).replaceAll('.', '_')}', { ${Array.from({ length: count }, (_, k) => `point${k}: three`).join(', ')} })
${form === 'taken' ? `const { ${Array.from({ length: count }, (_, k) => `point${k}`).join(', ')} } = p` : ''}
${form === 'hoisted' ? Array.from({ length: count }, (_, k) => `const on${k} = p.point${k}.on`).join('\n') : ''}
`
  const source = `import { createHash } from 'node:crypto'
${form === 'none' ? '' : declaration}
const sink = new Uint32Array(256)
${shape === 'one' ? '' : steps.map((step) => stepFunction(step, job)).join('\n')}
function job(x, i) {
  const body = JSON.parse('{"id":' + x + ',"volume":"volume-07","blocks":[1,2,3,4,5,6,7,8],"tags":{"user":"u1"}}')
  let sum = 0
  ${middle}
  const digest = createHash('sha1').update(body.volume).update(String(sum)).digest('hex')
  sink[x >>> 24] = JSON.stringify({ id: body.id, digest, sum }).length
}
export function run(turns) {
  let x = turns >>> 0
  for (let i = 0; i < turns; i++) job(x = (Math.imul(x, 1664525) + 1013904223) >>> 0, i)
}
`
  return form === 'transformed' ? transformed(source, count) : source
}

/** The source as `blkin/register` and the plugin make it. */
function transformed(source, count) {
  const following = new Rewriter().rewrite({ file: 'job.mjs', code: source })
  let step = following.next()
  while (!step.done) step = following.next('blkin')
  if (step.value?.changed !== count) throw new Error(`${step.value?.changed} of ${count} calls are static`)
  return step.value.code
}
