// lib/cli/record/record-flags.ts: what `blkin record` may be told, whichever of its two ways it goes.
import type { ChannelFlags, EnableFlags, RuleFlags, TargetFlags } from '../options/flags.js'

export interface RecordFlags extends TargetFlags, EnableFlags, RuleFlags, ChannelFlags {
  output: string
  for?: number
  json?: boolean
}
