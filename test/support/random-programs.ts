// test/support/random-programs.ts: random programs that call tracepoints wherever JavaScript lets an expression stand, for
// test/transform-differential.test.ts. The same seed gives the same program.
//
// A program is a list of statements over: disk.io, disk.sync, io (tracepoints), argument(n) (evaluated for a tracepoint's sake
// alone), step(n) (the program's own work, which has to be the same), threw(error), and o, f, F, tag, i.

/** Holes: `_` an expression that may be a call, `#` a number, `@` statements. */
const expressions = [
  ...[
    '(_, step(#))',
    '(step(#), _)',
    '_ ? step(#) : step(#)',
    'step(#) ? _ : _',
    'step(#) && _',
    '_ || step(#)',
  ],
  ...[
    '_ ?? step(#)',
    '[_, ...[_]]',
    '[..._]',
    '({ k: _, [_]: 1 })',
    '({ ...(_), get k() { return _ } }).k',
    'f(_, ...[_])',
  ],
  ...[
    'new F(_)',
    'new (F, _)()',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the program's
    '`a${_}b${_}`',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the program's
    'tag`a${_}`',
    '(_)?.x.y',
    'o?.[_]',
    'o[_]',
    '(_).x',
    'o?.f(_)?.y',
  ],
  ...[
    'typeof _',
    'void _',
    '!_',
    '-_',
    'delete _',
    '+_ + -_',
    '(_) ** 2',
    '(_) in o',
    '(_) instanceof F',
    '(_)`a`',
  ],
  ...['(() => _)()', '(() => ({ k: _ }))()', '((a = _) => a)()', '(({ a = _ }, [b = _] = []) => b)({})'],
  ...['(function (a = _, ...rest) { return _ })(1)', '(function () { @ return _ })()', '(() => { @ })()'],
  ...[
    '(class { static k = _; [_] = 1; static { @ } static get [_]() { return 1 } }).k',
    'new (class { k = _; #p = _ })()',
  ],
  ...[
    'new (class extends F { constructor() { super(_) } })()',
    '(class extends (_, F) {})',
    'o.k = _',
    'o.k ||= _',
  ],
  ...[
    '[o.k = _] = []',
    '({ a: o.k = _ } = {})',
    '[...(function* () { const a = yield _; yield* [_]; return _ })()]',
  ],
  ...[
    '(async () => _)().catch(threw)',
    '(async () => { @ })().catch(threw)',
    '(async () => await _)().catch(threw)',
    'step(_)',
    '(_\n)',
    '/* , */ _ // )\n',
  ],
]

const statements = [
  ...[
    '_',
    '_;',
    '_\n_',
    ';(_)',
    '{ _ }',
    'if (_) _; else _',
    'if (step(#)) { @ } else _',
    'while (step(#) < 0) _',
  ],
  ...[
    'do _; while (_, false)',
    'for (let i = (_, 0); i < 2; _, i++) { @ }',
    'for (let i = 0; i < 1 && !_; i++) _',
    'for (const a of [_]) _',
  ],
  ...[
    'for (const a in { k: _ }) @',
    'for (const [a = _] of [[]]) step(#)',
    'switch (_) { case _: @ default: _ }',
  ],
  ...[
    'label: _',
    'label: for (;;) { _; break label }',
    'try { throw _ } catch { _ } finally { _ }',
    'try { @ } finally { _ }',
  ],
  ...['const [a = _] = [], { b = _ } = {}', 'let c = _\n_', 'var d = _, e = _', 'throw _', 'debugger\n_'],
  ...[
    'function g(a = _) { @ }\ng()',
    'class C { static m() { return _ } }\nC.m()',
    'if (!step(#)) _\nelse _',
  ],
  ...[
    'for await (const a of [_, _]) _',
    'await _',
    'await (async () => { for await (const a of (async function* () { yield _ })()) _ })()',
  ],
  ...[
    'step(#)\n_',
    'o.k\n_',
    'i++\n_\n++i',
    'if (disk.io.on[0]) step(100)',
    'if (disk.io.enabled) step(101)',
    'for (_; step(#) < 0; _);',
  ],
  ...[
    'step(disk.sync.enabled ? 102 : 103)',
    'while (disk.io.on[0] > 1);',
    '{ const disk = o; f(_) }',
    '((io) => f(_))(f)',
  ],
]

const calls = [
  ...[
    'disk.io({ n: argument(#) })',
    'io({ n: argument(#) })',
    'disk.sync({ n: argument(#) })',
    'disk["io"]({ n: argument(#) })',
  ],
  ...[
    'disk.io({ ...{ n: argument(#) } })',
    'io({ n: [argument(#)].map((a) => a)[0] })',
    'all.disk.sync({ n: argument(#) })',
  ],
  ...[
    'disk\n.io({ n: argument(#) })',
    'io({ n: argument(#) /* ) */ },)',
    'disk.sync({ n: f(argument(#), argument(#)) })',
  ],
  ...[
    'disk.io({ n: disk.sync({ n: argument(#) }) ?? 1 })',
    'io({ n: (() => disk.sync({ n: 1 })) ? argument(#) : 2 })',
  ],
]

export function randomProgram(seed: number): string {
  let state = seed
  let numbers = 0
  const random = (below: number): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
  const one = (list: readonly string[]) => list[random(list.length)] as string
  const filled = (form: string, depth: number): string =>
    form.replace(/[_#@](?![\w])/g, (hole) => {
      if (hole === '#') return String(++numbers)
      if (hole === '@') return depth > 3 ? `${filled(one(calls), 9)};` : block(1 + random(2), depth + 1)
      return depth > 3 || random(3) === 0 ? filled(one(calls), 9) : `(${filled(one(expressions), depth + 1)})`
    })
  const block = (length: number, depth: number): string =>
    Array.from({ length }, () => `{ ${filled(one(statements), depth)} }`).join('\n')
  return Array.from({ length: 5 }, () => `try { ${block(1, 0)} } catch (error) { threw(error) }`).join('\n')
}
