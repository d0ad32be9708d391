// test/declarations.test.ts: what can be declared, and the words of every refusal. Runs the package in this process;
// nothing is switched on.
import { expect, test, vi } from 'vitest'
import { provider, status, t } from '../lib/index.js'

const { told } = vi.hoisted(() => ({ told: [] as string[] }))
vi.mock('../lib/stderr.js', () => ({ writeError: (text: string) => told.push(text) }))

const long = (length: number) => 'x'.repeat(length)
// biome-ignore lint/suspicious/noExplicitAny: what a JavaScript program may give
type Any = any
const declare = (name: Any, events: Any) => () => provider(name, events)
const field = (type: Any, name = 'f') => declare('refuse', { e: { fields: { [name]: type } } })
const declared = () => status().tracepoints.declared
const parsed = (text: string) => JSON.parse(text)

const eventName =
  '1 to 100 letters, digits and _ . -, a letter first, and none of __proto__, prototype, constructor'
const fieldName =
  '1 to 100 letters, digits and _, a letter first, and none of __proto__, prototype, constructor'
const labelText = 'text of 1 to 255 bytes of UTF-8 without control characters'
const types =
  'a field type of t: u8, u16, u32, u64, i8, i16, i32, i64, f32, f64, bool, string, enum, bytes, array or sequence'
const where = 'tracepoint refuse:e'
const at = `${where}, field "f"`

const refusals: [string, () => unknown, string][] = [
  [
    'a provider without a name',
    declare(undefined, {}),
    'provider: the name is undefined; expected 1 to 100 letters, digits and _ . -, a letter first',
  ],
  [
    'a provider named by a symbol',
    declare(Symbol('s'), {}),
    'provider: the name is Symbol(s); expected 1 to 100 letters, digits and _ . -, a letter first',
  ],
  [
    'a provider with a colon',
    declare('a:b', {}),
    'provider: the name is "a:b"; expected 1 to 100 letters, digits and _ . -, a letter first',
  ],
  [
    'a provider of 101 letters',
    declare(long(101), {}),
    `provider: the name is "${long(101)}"; expected 1 to 100 letters, digits and _ . -, a letter first`,
  ],
  [
    'a provider that begins with a digit',
    declare('1a', {}),
    'provider: the name is "1a"; expected 1 to 100 letters, digits and _ . -, a letter first',
  ],
  ...['blkin', 'lttng_ust', 'lttng'].map((name): [string, () => unknown, string] => [
    `the provider ${name}`,
    declare(name, {}),
    `provider ${name}: the name is reserved; expected none of blkin, lttng_ust, lttng`,
  ]),
  [
    'no events',
    declare('refuse', undefined),
    'provider refuse: the events are undefined; expected an object of declarations by name',
  ],
  [
    'a text for events',
    declare('refuse', 'abc'),
    'provider refuse: the events are "abc"; expected an object of declarations by name',
  ],
  [
    'an event with a space',
    declare('refuse', { 'a b': {} }),
    `tracepoint refuse:"a b": the event has this name; expected ${eventName}`,
  ],
  [
    'an event named __proto__',
    declare('refuse', parsed('{"__proto__": {}}')),
    `tracepoint refuse:"__proto__": the event has this name; expected ${eventName}`,
  ],
  [
    'an event named constructor',
    declare('refuse', { constructor: {} }),
    `tracepoint refuse:"constructor": the event has this name; expected ${eventName}`,
  ],
  [
    'an event named prototype',
    declare('refuse', { prototype: {} }),
    `tracepoint refuse:"prototype": the event has this name; expected ${eventName}`,
  ],
  [
    'a list of events',
    declare('refuse', [{}]),
    `tracepoint refuse:"0": the event has this name; expected ${eventName}`,
  ],
  [
    'a declaration that is null',
    declare('refuse', { e: null }),
    `${where}: the declaration is null; expected { level?, fields? }`,
  ],
  [
    'a declaration with another key',
    declare('refuse', { e: { feilds: {} } }),
    `${where}: the declaration has "feilds"; expected level and fields`,
  ],
  [
    'an unknown level',
    declare('refuse', { e: { level: 'warn' } }),
    `${where}: the level is "warn"; expected emerg, alert, crit, err, warning, notice, info, debug_system, debug_program, debug_process, debug_module, debug_unit, debug_function, debug_line, debug`,
  ],
  [
    'a level of the prototype',
    declare('refuse', { e: { level: 'toString' } }),
    `${where}: the level is "toString"; expected emerg, alert, crit, err, warning, notice, info, debug_system, debug_program, debug_process, debug_module, debug_unit, debug_function, debug_line, debug`,
  ],
  [
    'fields that are a number',
    declare('refuse', { e: { fields: 5 } }),
    `${where}: the fields are 5; expected an object of field types`,
  ],
  [
    'a field that begins with _',
    field(t.u8, '_a'),
    `${where}, field "_a": the field has this name; expected ${fieldName}`,
  ],
  [
    'a field with a dash',
    field(t.u8, 'a-b'),
    `${where}, field "a-b": the field has this name; expected ${fieldName}`,
  ],
  [
    'a field named __proto__',
    declare('refuse', { e: { fields: Object.fromEntries([['__proto__', t.u8]]) } }),
    `${where}, field "__proto__": the field has this name; expected ${fieldName}`,
  ],
  [
    'a field named constructor',
    field(t.u8, 'constructor'),
    `${where}, field "constructor": the field has this name; expected ${fieldName}`,
  ],
  ['a type that is a word', field('u8'), `${at}: the type is "u8"; expected ${types}`],
  ['a type that is a function of t', field(t.enum), `${at}: the type is a function; expected ${types}`],
  [
    'a type that is no type',
    field({ type: 99, shape: 0 }),
    `${at}: the type is an object; expected ${types}`,
  ],
  [
    'an array of strings',
    field(t.array(t.string as Any, 3)),
    `${at}: the elements are not numbers; expected an array or sequence of u8 to i64, f32 or f64`,
  ],
  [
    'a sequence of arrays of strings',
    field(t.sequence(t.array(t.string as Any, 3) as Any)),
    `${at}: the elements are not numbers; expected an array or sequence of u8 to i64, f32 or f64`,
  ],
  [
    'an array of no length',
    field(t.array(t.u8, 0)),
    `${at}: the array's length is 0; expected an integer from 1 to 498`,
  ],
  [
    'an array of half a length',
    field(t.array(t.u8, 1.5)),
    `${at}: the array's length is 1.5; expected an integer from 1 to 498`,
  ],
  [
    'an array of 499',
    field(t.array(t.u8, 499)),
    `${at}: the array's length is 499; expected an integer from 1 to 498`,
  ],
  ['an enum without labels', field(t.enum([])), `${at}: the enum has 0 labels; expected 1 to 1024`],
  [
    'an enum of 1025 labels, which the relay would refuse',
    field(t.enum(Array.from({ length: 1025 }, (_, i) => `l${i}`))),
    `${at}: the enum has 1025 labels; expected 1 to 1024`,
  ],
  ['an empty label', field(t.enum([''])), `${at}: a label is ""; expected ${labelText}`],
  [
    'a label of 256 bytes',
    field(t.enum(['é'.repeat(128)])),
    `${at}: a label is "${'é'.repeat(120)}…"; expected ${labelText}`,
  ],
  ['a label with a line break', field(t.enum(['a\nb'])), `${at}: a label is "a\\nb"; expected ${labelText}`],
  [
    'a label with half a character',
    field(t.enum(['\ud800'])),
    `${at}: a label is "\\ud800"; expected ${labelText}`,
  ],
  [
    'a label with the mark of bad text',
    field(t.enum(['\ufffd'])),
    `${at}: a label is "\ufffd"; expected ${labelText}`,
  ],
  ['a label that is a number', field(t.enum([5 as Any])), `${at}: a label is 5; expected ${labelText}`],
  ['a label twice', field(t.enum(['a', 'a'])), `${at}: the label "a" comes twice; expected each label once`],
  [
    'a value twice',
    field(t.enum({ a: 1, b: 1 })),
    `${at}: two labels have one value; expected each value once`,
  ],
  [
    'a value of 33 bits',
    field(t.enum({ a: 2 ** 31 })),
    `${at}: the label "a" has the value 2147483648; expected an integer of 32 bits`,
  ],
  [
    'a value with a fraction',
    field(t.enum({ a: 0.5 })),
    `${at}: the label "a" has the value 0.5; expected an integer of 32 bits`,
  ],
  [
    '65 fields',
    declare('refuse', {
      e: { fields: Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`f${i}`, t.u8])) },
    }),
    `${where}: there are 65 fields; expected at most 64`,
  ],
  [
    'more than a record',
    declare('refuse', { e: { fields: { a: t.array(t.u64, 498), b: t.u8 } } }),
    `${where}: the fields take 3985 bytes at least; expected at most 3984`,
  ],
  [
    'more labels than the relay takes in one call',
    declare('refuse', {
      e: {
        fields: Object.fromEntries(
          ['a', 'b', 'c', 'd', 'e'].map((name) => [
            name,
            t.enum(Array.from({ length: 1024 }, (_, i) => `${i}`.padEnd(255, 'x'))),
          ]),
        ),
      },
    }),
    `${where}: the enums' labels take 1408000 bytes on the wire; expected at most 1048576`,
  ],
]

test.each(refusals)('%s is refused in words', (_, act, words) => {
  let error: (Error & { code?: string }) | undefined
  try {
    act()
  } catch (thrown) {
    error = thrown as Error
  }
  expect(error?.message).toBe(words)
  expect(error).toBeInstanceOf(TypeError)
  expect(error?.code).toBe('ERR_BLKIN_DECLARATION')
})

test('the same declaration twice is the same tracepoint', () => {
  const events = {
    e: {
      level: 'info',
      fields: { a: t.u8, b: t.enum(['x', 'y']), c: t.array(t.f32, 2), d: t.sequence(t.i64) },
    },
  } as const
  const before = declared()
  expect(provider('twice', events).e.tracepoint).toBe('twice:e')
  expect(provider('twice', events).e.tracepoint).toBe('twice:e')
  expect(declared()).toBe(before + 1)
})

test('another declaration of the name is a tracepoint beside it, told once, and there is an end to them', () => {
  const { a, b } = { a: t.u8, b: t.enum(['x', 'y']) }
  const others: [Any, Any][] = [
    ...[{ a: t.u16, b }, { a, b: t.enum(['x', 'z']) }, { b, a }, {}].map((fields): [Any, Any] => [
      fields,
      'info',
    ]),
    [{ a, b }, 'err'],
  ]
  const before = declared()
  provider('other', { e: { level: 'info', fields: { a, b } } })
  for (let round = 0; round < 2; round++)
    for (const [fields, level] of others) provider('other', { e: { level, fields } })
  expect(declared()).toBe(before + 6)
  expect(told).toEqual([
    'blkin: tracepoint other:e is declared again as level info { a: u16, b: enum("x"=0,"y"=1) }, and was ' +
      'level info { a: u8, b: enum("x"=0,"y"=1) }: both stand under that name\n',
  ])
  for (let n = 6; n < 64; n++) provider('other', { e: { fields: { [`f${n}`]: t.u8 } } })
  expect(declare('other', { e: { fields: { more: t.u8 } } })).toThrow(
    'tracepoint other:e: declared in a 65th form, level debug_line { more: u8 }; expected one of the 64 it had, such as the first, level info',
  )
  expect(declare('other', { e: { level: 'info', fields: { a, b } } })).not.toThrow()
})

test('names of the prototype that are not reserved are names like others', () => {
  const p = provider('hasOwnProperty', {
    toString: { fields: { valueOf: t.u8, hasOwnProperty: t.string } },
    next: {},
  })
  expect(Object.keys(p)).toEqual(['toString', 'next'])
  expect(p.toString.tracepoint).toBe('hasOwnProperty:toString')
  expect(() => (p.toString as Any)({ valueOf: 1, hasOwnProperty: '' })).not.toThrow()
  expect(({} as Any).valueOf).toBe(Object.prototype.valueOf)
})

test('a provider and its tracepoints cannot be changed, and say their names', () => {
  const p = provider('frozen', { event: {} })
  expect(Object.isFrozen(p)).toBe(true)
  expect([p.event.name, p.event.tracepoint, p.event.on[0]]).toEqual(['event', 'frozen:event', 0])
  expect(() => {
    ;(p.event as Any).on = [1]
  }).toThrow(TypeError)
})
