// test/programs/odd-values.mjs: values that a careless caller may give: each entry makes a fresh one, because some are
// used up (detached) by being made. None of them may throw, nor touch what stands beside it.

const named = (type, value) => Object.setPrototypeOf(value, type.prototype)
const typed = [
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigUint64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  BigInt64Array,
  Float32Array,
  Float64Array,
]

function detached(Type, length) {
  const array = new Type(length)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

/** A view that reached beyond its buffer once that became shorter. */
function outOfBounds(Type) {
  const buffer = new ArrayBuffer(64, { maxByteLength: 128 })
  const array = new Type(buffer, 16, 3)
  buffer.resize(20)
  return array
}

const throws = () => {
  throw new Error('from the caller')
}

const trapped = (target) =>
  new Proxy(target, {
    get: throws,
    getPrototypeOf: throws,
    has: throws,
    ownKeys: throws,
    getOwnPropertyDescriptor: throws,
  })

export const oddValues = [
  ...[
    undefined,
    null,
    true,
    false,
    0,
    -0,
    1,
    -1,
    1.5,
    255,
    256,
    NaN,
    Infinity,
    -Infinity,
    2 ** 64,
    -(2 ** 63),
  ],
  ...[
    0n,
    1n,
    -1n,
    2n ** 64n,
    2n ** 200n,
    '',
    'a',
    '1',
    '__proto__',
    'constructor',
    'toString',
    '\ud800',
    '\0',
  ],
]
  .map((value) => () => value)
  .concat([
    () => Symbol('s'),
    () => Symbol.iterator,
    () => () => 1,
    () => class {},
    () => ({}),
    () => Object.create(null),
    () => ({ length: 3, 0: 1, 1: 2, 2: 3 }),
    () => ({ valueOf: () => 1, toString: () => 'a' }),
    () => ({ [Symbol.toPrimitive]: throws }),
    () => new Number(1),
    () => new String('a'),
    () => new Boolean(true),
    () => Object(1n),
    () => new Date(0),
    () => /a/,
    () => new Map([[0, 1]]),
    () => new Proxy({}, {}),
    () => trapped({}),
    () => trapped([1, 2, 3]),
    () => trapped(new Uint8Array(3)),
    () => new Proxy([1, 2, 3], {}),
    () => new Proxy(new Uint8Array(3), {}),
    () => new Proxy(new Float64Array(3), {}),
    () => new Proxy([1, 2, 3], { get: (list, key) => (key === 'length' ? -1 : list[key]) }),
    () => new Proxy([1, 2, 3], { get: (list, key) => (key === 'length' ? NaN : list[key]) }),
    () => new Proxy([1, 2, 3], { get: (list, key) => (key === 'length' ? { valueOf: throws } : list[key]) }),
    () => new Proxy([1, 2, 3], { get: (list, key) => (key === 'length' ? new ArrayBuffer(8) : list[key]) }),
    () => Proxy.revocable([], {}).proxy,
    () => {
      const { proxy, revoke } = Proxy.revocable([1, 2, 3], {})
      revoke()
      return proxy
    },
    () => [],
    () => [1, 2, 3],
    () => [1n, 2n, 3n],
    () => [1, 2n, 3],
    () => [1, '2', 3],
    () => Object.assign(new Array(3), { 0: 1, 2: 3 }),
    () => new Array(3),
    () => new Array(1e9),
    () => [1, Symbol('s'), 3],
    () => [1, { valueOf: throws }, 3],
    () => Object.defineProperty([1, 2, 3], 1, { get: throws }),
    () => Object.defineProperty([1, 2, 3], 1, { get: () => 9 }),
    () => Object.setPrototypeOf([1, 2, 3], null),
    () => named(Float64Array, [1, 2, 3]),
    () => new DataView(new ArrayBuffer(3)),
    () => new ArrayBuffer(3),
    () => new SharedArrayBuffer(3),
    () => Buffer.from('abc'),
    () => new Uint8Array(100_000),
    () => new Float64Array(498),
    () => new Float64Array(1e6),
    // What says it is one and is another: its prototype, its tag or its constructor lies.
    ...typed.flatMap((Type) => [
      () => new Type(3),
      () => new (class extends Type {})(3),
      () => new Type(new SharedArrayBuffer(48), 16, 3),
      () => new Type(new ArrayBuffer(48, { maxByteLength: 64 }), 16, 3),
      () => new Type(new ArrayBuffer(24, { maxByteLength: 64 })),
      () => detached(Type, 3),
      () => outOfBounds(Type),
      () => Object.create(Type.prototype),
      () => Object.create(Type.prototype, { length: { value: 3 } }),
      () =>
        Object.create(Type.prototype, {
          length: { value: 3 },
          0: { value: 1 },
          1: { get: throws },
          2: { value: 1 },
        }),
      () => ({ [Symbol.toStringTag]: Type.name, length: 3, 0: 1, 1: 2, 2: 3 }),
      () => Object.defineProperty(new Type(3), 'length', { value: 3000 }),
      () => Object.defineProperty(new Type(3), 'byteLength', { value: 3000 }),
      () => Object.defineProperty(new Type(3), 'length', { get: throws }),
      () => Object.defineProperty(new Type(3), Symbol.toStringTag, { value: 'Uint8Array' }),
      () => Object.defineProperty(new Type(1), 'length', { value: 3 }),
      () => Object.setPrototypeOf(new Type(3), null),
      () => Object.setPrototypeOf(new Type(3), Array.prototype),
      ...typed.map((Other) => () => named(Other, new Type(3))),
      // The last page of memory there is: whoever reads beyond it crashes.
      ...typed.map((Other) => () => named(Other, new Type(400))),
    ]),
  ])
