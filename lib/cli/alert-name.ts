// lib/cli/alert-name.ts: what an alert is called: by its rule, and where the rule has one for each value, by that. Pure.
import { visible } from './visible.js'

export function alertName(alert: string, by?: { key: string; value: string }): string {
  return visible(by === undefined ? alert : `${alert}{${by.key}=${by.value}}`)
}
