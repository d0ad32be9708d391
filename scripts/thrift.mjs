// scripts/thrift.mjs [FOLDER]: turns idl/*.thrift into relay/gen (or FOLDER) with Apache's compiler.
// Run by hand after the IDL changes; relay/test/gen.test.ts runs it to see that what is committed is current.
// It never runs in an install: what it makes is in the repository.

import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const target = process.argv[2] ?? join(root, 'relay/gen')
const scratch = mkdtempSync(join(tmpdir(), 'blkin-thrift-'))
try {
  for (const name of readdirSync(join(root, 'idl')).sort()) {
    const idl = join(root, 'idl', name)
    execFileSync('thrift', ['--gen', 'js:node,ts,es6', '-o', scratch, idl], { stdio: 'inherit' })
  }
  mkdirSync(target, { recursive: true })
  const made = join(scratch, 'gen-nodejs')
  for (const name of readdirSync(made)) {
    const text = readFileSync(join(made, name), 'utf8')
    // The runtime is a file beside it, not a package: see lib/bundle.mjs.
    const own = text
      .replace("= require('thrift');", "= require('./runtime.js');")
      .replace("= require('node-int64');", "= require('./runtime.js').Int64;")
    writeFileSync(join(target, name), name.endsWith('.js') ? own : text)
  }
} finally {
  rmSync(scratch, { recursive: true })
}
