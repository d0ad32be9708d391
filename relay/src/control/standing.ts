// relay/src/control/standing.ts: a user's standing rules: for programs of a name, whenever they start.
// The CLI writes the file; each traced process reads it, natively, when it starts. Here both ways, with the same
// checks at the door as for a rule that comes over the wire. The file's form is StandingRules in idl/blkin.thrift.

import { join } from 'node:path'
import { checkRule, MAX_RULES } from '../protocol/check/rule.js'
import { MOST_BYTES, readStruct, structBytes, writeStruct } from '../protocol/struct-file.js'
import { types } from '../protocol/wire.js'
import { rule, wireRule } from './convert.js'
import { inMadeFolder, inOwnFolder } from './own-folder.js'
import type { Rule, RuleRequest } from './types.js'

const NAME = 'standing'

/**
 * None where there is no such file.
 *
 * @throws FolderError where the folder is not this user's alone; Error that begins with the path, where the file is not as written
 */
export async function readStanding(folder: string): Promise<Rule[]> {
  const path = join(folder, NAME)
  const found = await inOwnFolder(folder, (at) => readStruct(join(at, NAME), types.StandingRules, path))
  const rules = found?.rules ?? []
  try {
    check(rules)
    return rules.map(rule)
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`)
  }
}

/** Takes the place of the rules that stood; each must have a target, and gets its place in the list as its id. */
export async function writeStanding(folder: string, rules: readonly RuleRequest[]): Promise<void> {
  const made = rules.map((one, i) => wireRule(one, 'standing', i + 1))
  check(made)
  const bytes = structBytes(new types.StandingRules({ rules: made }))
  if (bytes.length > MOST_BYTES)
    throw new RangeError(`standing rules of ${bytes.length} bytes; expected at most ${MOST_BYTES}`)
  await inMadeFolder(folder, (at) => writeStruct(join(at, NAME), bytes))
}

function check(rules: ReturnType<typeof wireRule>[]): void {
  if (rules.length > MAX_RULES)
    throw new RangeError(`${rules.length} standing rules; expected at most ${MAX_RULES}`)
  rules.forEach(checkRule)
}
