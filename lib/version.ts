// lib/version.ts: this package's version. A constant, since bundled code has no package.json beside it, or another's.
export const version = '0.1.0'
