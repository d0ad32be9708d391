// bench/chain/weave.mjs: changes a module of the block store for build.mjs: weave() puts a tracepoint before each statement of the
// functions that path.mjs names, strip() takes the store's own tracepoints out. The store's sources stay what they are.
import { parse } from 'acorn'
import { full, simple } from 'acorn-walk'
import MagicString from 'magic-string'

const parsed = (code) => parse(code, { ecmaVersion: 'latest', sourceType: 'module' })

/** Calls of the store's tracepoints leave. @returns the module without, and how many there were */
export function strip(code) {
  const text = new MagicString(code)
  let stripped = 0
  simple(parsed(code), {
    ExpressionStatement({ start, end, expression }) {
      if (expression.type !== 'CallExpression' || !isTracepoint(expression.callee)) return
      text.update(start, end, ';')
      stripped++
    },
  })
  return { code: text.toString(), stripped }
}

const isTracepoint = ({ type, object }) =>
  type === 'MemberExpression' && object.type === 'Identifier' && ['blk', 'obj'].includes(object.name)

/**
 * @param {string} name of the file, without its ending
 * @param {{ in: string, id: string }[]} functions of path.mjs that are in it
 * @returns the module with its steps, and their names in the order of the text
 */
export function weave(name, code, functions) {
  const text = new MagicString(code)
  const steps = []
  const known = functionsOf(parsed(code))
  for (const { in: where, id } of functions) {
    const found = known.get(where) ?? []
    if (found.length !== 1) throw new Error(`${name}: ${found.length} functions ${where}; expected one`)
    const [variable] = /^\w+/.exec(id)
    statements(found[0].body, variable).forEach(({ start }, i) => {
      const step = `${name.replaceAll('-', '_')}_${where}_${i + 1}`
      text.appendLeft(start, `step.${step}({ id: ${id} }); `)
      steps.push(step)
    })
  }
  if (steps.length > 0) text.prepend("import { step } from './steps.js'\n")
  return { code: text.toString(), steps }
}

/** What declares them. */
export const stepsSource = (steps) => `import { provider, t } from 'blkin'
const moment = { level: 'debug_line', fields: { id: t.u64 } }
export const step = provider('step', {
${steps.map((step) => `  ${step}: moment,`).join('\n')}
})
`

/** Methods and functions by name. */
function functionsOf(tree) {
  const known = new Map()
  const note = (name, node) => known.set(name, [...(known.get(name) ?? []), node])
  full(tree, (node) => {
    if (node.type === 'FunctionDeclaration') note(node.id.name, node)
    if (node.type === 'MethodDefinition') note(node.key.name, node.value)
  })
  return known
}

/** Those that each write comes to, in order, from where `variable` is there: not what only some turns or conditions do. */
function statements(body, variable) {
  const all = body.body.flatMap(inOrder)
  const declared = all.findLastIndex((one) => one.type === 'VariableDeclaration' && declares(one, variable))
  return all.slice(declared + 1)
}

/** Into endless loops, blocks under `try` and executors of promises, which are all run through once for a write. */
function inOrder(statement) {
  const { type, test, body, block, finalizer, argument } = statement
  if (type === 'ForStatement' && test === null) return body.body.flatMap(inOrder)
  if (type === 'TryStatement') return [...block.body, ...(finalizer?.body ?? [])].flatMap(inOrder)
  const isPromise =
    type === 'ReturnStatement' && argument?.type === 'NewExpression' && argument.callee.name === 'Promise'
  if (isPromise) return argument.arguments[0].body.body.flatMap(inOrder)
  return [statement]
}

const declares = ({ declarations }, name) => declarations.some(({ id }) => id.name === name)
