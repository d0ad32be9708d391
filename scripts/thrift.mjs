// scripts/thrift.mjs [FOLDER]: turns idl/*.thrift into relay/gen (or FOLDER) with Apache's compiler.
// Run by hand after the IDL changes; relay/test/gen.test.ts runs it to see that what is committed is current.
// It never runs in an install: what it makes is in the repository.

import { execFileSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
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
  for (const name of readdirSync(made)) copyFileSync(join(made, name), join(target, name))
} finally {
  rmSync(scratch, { recursive: true })
}
