// lib/cli/overhead/flags.ts: what `blkin overhead` may be told, whichever of its ways it goes.
import type { ChannelFlags, EnableFlags, RuleFlags, TargetFlags } from '../options/flags.js'

export interface OverheadFlags extends TargetFlags, EnableFlags, RuleFlags, ChannelFlags {
  url?: string
  rounds?: number
  /** Milliseconds. */
  time?: number
  svg?: string
  json?: boolean
}
