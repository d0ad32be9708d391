// scripts/lib/compilers.mjs: the compilers of TypeScript, and Node's types, that our types are tested with: the oldest and the newest of
// each, and every way of finding modules: what holds for them holds between.
export const compilers = [
  {
    typescript: 'typescript@5.4.5',
    types: ['@types/node@20.19.25', 'undici-types@6.21.0'],
    resolutions: [
      { module: 'node16', moduleResolution: 'node16' },
      { module: 'commonjs', moduleResolution: 'node10' },
    ],
  },
  {
    typescript: 'typescript@6.0.3',
    types: ['@types/node@26.6.7', 'undici-types@8.9.0'],
    resolutions: [
      { module: 'nodenext', moduleResolution: 'nodenext' },
      { module: 'esnext', moduleResolution: 'bundler' },
    ],
  },
]
