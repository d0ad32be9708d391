// relay/src/pipeline/alerts/labels.ts: the labels by which receivers of alerts tell one from another and know whom to call: the rule's name,
// the value that it goes by, and those that the rule was given. Pure.

import type { AlertRule } from './rule.js'

export function labelsOf(rule: AlertRule, value: string | undefined): Record<string, string> {
  const own = value === undefined ? {} : { [labelName(rule.by!)]: value }
  return { alertname: rule.name, ...own, ...rule.labels }
}

/** A key of a tag as a label may be called. */
export function labelName(by: string): string {
  const name = by.replace(/^tag\./, '').replace(/\W/g, '_')
  return /^\d/.test(name) || name === 'alertname' ? `tag_${name}` : name
}
