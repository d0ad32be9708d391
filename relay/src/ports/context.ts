// relay/src/ports/context.ts: what the sessions of traced processes and of controllers have to do with: relay.ts makes one for each address
// that it listens at, since who comes in there may have rights of its own.

import type { Reject } from '../common/rejections.js'
import type { RightsOf } from '../protocol/check/rights.js'
import type { Followers } from '../recording/live/followers.js'
import type { Processes } from '../recording/processes.js'
import type { Recorder } from '../recording/recording.js'
import type { RuleBook } from '../recording/rules/rule-book.js'

export interface SessionContext {
  rightsOf: RightsOf
  processes: Processes
  recorder: Recorder
  rules: RuleBook
  followers: Followers
  reject: Reject
}
