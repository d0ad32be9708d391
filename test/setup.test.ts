// test/setup.test.ts: what scripts/setup.mjs promises: one at a time, and nothing twice.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { missingPackages } from '../scripts/lib/debian.mjs'
import { withLock } from '../scripts/lib/lock.mjs'
import { hashOf } from '../scripts/lib/stamp.mjs'

const lockFile = () => join(mkdtempSync(join(tmpdir(), 'blkin-lock-')), 'lock')

test('a second holder waits for the first, and is told whom it waits for', async () => {
  const file = lockFile()
  const told: number[] = []
  const order: string[] = []
  const first = withLock(file, async () => {
    await sleep(50)
    order.push('first ends')
  })
  const second = withLock(
    file,
    async () => order.push('second begins'),
    (pid) => told.push(pid),
  )
  await Promise.all([first, second])
  expect(order).toEqual(['first ends', 'second begins'])
  expect(told).toEqual([process.pid])
})

test('a lock is given back when the work fails, and leaves no file behind', async () => {
  const file = lockFile()
  const failing = withLock(file, () => {
    throw new Error('disk full')
  })
  await expect(failing).rejects.toThrow('disk full')
  expect(readdirSync(join(file, '..'))).toEqual([])
})

test('the lock of a process that died is taken over', async () => {
  const file = lockFile()
  writeFileSync(file, '4194305 1') // above the highest pid there can be
  expect(await withLock(file, () => 'done')).toBe('done')
})

test('a pid that now belongs to another process does not keep the lock', async () => {
  const file = lockFile()
  writeFileSync(file, `${process.pid} 1`) // our pid, but started long before us
  const holder = await withLock(file, () => readFileSync(file, 'utf8'))
  expect(holder).toMatch(new RegExp(`^${process.pid} `))
  expect(holder).not.toBe(`${process.pid} 1`)
})

test('a hash follows content, and does not mind what is not there', () => {
  expect(hashOf(['scripts/lib'])).toBe(hashOf(['scripts/lib', 'no/such/folder']))
  expect(hashOf(['scripts/lib'])).not.toBe(hashOf(['scripts/lib'], (file) => !file.endsWith('lock.mjs')))
})

test('an unknown package is refused by name', () => {
  expect(() => missingPackages(['no-such-package'])).toThrow(
    /"no-such-package": expected one of g\+\+, make, python3/,
  )
})
