// relay/test/standing.test.ts: the file of standing rules: what is written is read, and nothing else is.

import { readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readStanding, writeStanding } from '../src/index.js'
import { folder } from './helpers.js'

test('what is written is read back, in its order, from a file that only its owner reads', async () => {
  const here = join(folder(), 'blkin')
  expect(await readStanding(here)).toEqual([])
  await writeStanding(here, [
    { target: 'server*', pattern: 'blockstore:*', exclude: ['*:mapped'], sample: { keep: 1, of: 100 } },
    { target: 'é', pattern: 'a:b', on: false, level: 3, exactly: true },
    { target: '*', pattern: '*:*', filter: 'n > 1' },
  ])
  const same = { exclude: [], level: 14, exactly: false, on: true, origin: 'standing' }
  expect(await readStanding(here)).toEqual([
    {
      ...same,
      ...{ id: 1, target: 'server*', pattern: 'blockstore:*', exclude: ['*:mapped'] },
      sample: { keep: 1, of: 100 },
    },
    { ...same, id: 2, target: 'é', pattern: 'a:b', on: false, level: 3, exactly: true },
    {
      ...same,
      ...{ id: 3, target: '*', pattern: '*:*' },
      filter: 'n > 1',
    },
  ])
  expect(readdirSync(here)).toEqual(['standing'])
  expect(statSync(join(here, 'standing')).mode & 0o777).toBe(0o600)
  await writeStanding(here, [])
  expect(await readStanding(here)).toEqual([])
})

test('a rule that no process could take is refused, and the file stays', async () => {
  const here = folder()
  await writeStanding(here, [{ target: 'a', pattern: 'a:b' }])
  const bad: [Parameters<typeof writeStanding>[1][number], RegExp][] = [
    [{ pattern: 'a:b' }, /rule.target is missing; expected 1 to 255/],
    [{ target: 'a', pattern: 'a' }, /rule.pattern is "a"; expected provider:event, such as/],
    [{ target: 'a', pattern: 'a:b', level: 15 }, /rule.level is 15; expected 0 to 14/],
    [{ target: 'a', pattern: 'a:b', exclude: ['b'] }, /rule.exclude is "b"; expected provider:event/],
    [{ target: 'a', pattern: 'a:b', sample: { keep: 2, of: 1 } }, /rule.sample.keep is 2; expected 1 to 1$/],
    [
      { target: 'a', pattern: 'a:b', filter: 'n'.repeat(4097) },
      /rule.filter.text is "4097 bytes"; expected 1 to 4096 bytes/,
    ],
  ]
  for (const [rule, message] of bad) await expect(writeStanding(here, [rule])).rejects.toThrow(message)
  const many = Array.from({ length: 1025 }, () => ({ target: 'a', pattern: 'a:b' }))
  await expect(writeStanding(here, many)).rejects.toThrow(/1025 standing rules; expected at most 1024/)
  expect(await readStanding(here)).toHaveLength(1)
})

test('a file that is none of ours is told in one line that begins with its path', async () => {
  const here = folder()
  const path = join(here, 'standing')
  for (const bytes of ['nonsense', Buffer.alloc(0), Buffer.from([15, 0, 1, 12, 127, 255, 255, 255])]) {
    writeFileSync(path, bytes)
    await expect(readStanding(here)).rejects.toThrow(new RegExp(`^${path}: .+$`))
  }
})
