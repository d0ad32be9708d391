// relay/test/tracing-options.test.ts: what startRelay({ tracing, scribe }) is given and cannot mean is told at the door: in words,
// and before anything is opened.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parseAlerts, type RelayOptions, startRelay } from '../src/index.js'
import { folder, relayIn } from './helpers.js'

const rules = parseAlerts(
  'slow:  p99(service="a  b")   > 20ms over 30s by tag.export # why\nfail:errors() > 1% over 10s',
)
const many = parseAlerts(Array.from({ length: 50 }, (_, n) => `a${n}: errors() > 1% over 10s`).join('\n'))
const url = 'a URL, or HOST:PORT'
const asRead = 'a list of rules as parseAlerts() reads them'

const wrong: [tracing: unknown, words: string][] = [
  [true, 'tracing is true; expected an object'],
  [
    { maxage: 1 },
    'tracing has "maxage"; expected listen, allowOrigins, sinks, autocompleteKeys, alerts, sample, maxAge, maxBytes, memory',
  ],
  [{ listen: 4651 }, 'tracing.listen is 4651; expected HOST:PORT'],
  [{ allowOrigins: '*' }, 'tracing.allowOrigins is "*"; expected a list of origins, or of "*"'],
  ...['https://ui.example/', 'https://UI.example:443', 'ui.example', ''].map((origin): [object, string] => [
    { allowOrigins: [origin] },
    `an origin is "${origin}"; expected *, or one such as https://ui.example or http://127.0.0.1:3000`,
  ]),
  [{ listen: 'here' }, 'http is "here"; expected host:port, such as "127.0.0.1:4650" or "[::1]:4650"'],
  [{ maxAge: -1 }, 'tracing.maxAge is -1; expected a number of milliseconds above 0'],
  [{ maxAge: '7d' }, 'tracing.maxAge is "7d"; expected a number of milliseconds above 0'],
  [{ maxAge: Number.NaN }, 'tracing.maxAge is NaN; expected a number of milliseconds above 0'],
  [{ maxBytes: 0 }, 'tracing.maxBytes is 0; expected a number of bytes above 0'],
  [{ maxBytes: '10GB' }, 'tracing.maxBytes is "10GB"; expected a number of bytes above 0'],
  [{ memory: 2 ** 20 }, 'tracing.memory is 1048576; expected a number of bytes from 134217728'],
  [{ autocompleteKeys: 'env' }, 'tracing.autocompleteKeys is "env"; expected a list of keys of tags'],
  [{ autocompleteKeys: [{}] }, 'tracing.autocompleteKeys is a list; expected a list of keys of tags'],
  [{ sample: '1%' }, 'tracing.sample is "1%"; expected { share } or { perSecond }'],
  [{ sinks: 'x:1' }, 'tracing.sinks is "x:1"; expected an object'],
  [{ sinks: { zipkn: 'x:1' } }, 'tracing.sinks has "zipkn"; expected zipkin, scribe, otlp'],
  [{ sinks: { otlp: 5 } }, `tracing.sinks.otlp is 5; expected ${url}`],
  [{ sinks: { scribe: 'x' } }, 'scribe is "x"; expected host:port, such as "127.0.0.1:4650" or "[::1]:4650"'],
  [{ alerts: {} }, `tracing.alerts.rules is undefined; expected ${asRead}`],
  [
    { alerts: { rules: 'a: errors() > 1% over 10s' } },
    `tracing.alerts.rules is "a: errors() > 1% over 10s"; expected ${asRead}`,
  ],
  [{ alerts: { rules, rule: 1 } }, 'tracing.alerts has "rule"; expected rules, webhook, alertmanagers'],
  [{ alerts: { rules, webhook: 1 } }, `tracing.alerts.webhook is 1; expected ${url}`],
  [
    { alerts: { rules, alertmanagers: 'am' } },
    'tracing.alerts.alertmanagers is "am"; expected a list of URLs, or HOST:PORT',
  ],
  [
    { alerts: { rules: [...many, ...rules] } },
    'tracing.alerts.rules: there are 52 rules; expected at most 50',
  ],
  [
    { alerts: { rules: [...rules, rules[0]] } },
    'tracing.alerts.rules: line 3: alert "slow" is there already; expected another name',
  ],
  [
    { alerts: { rules: [{ ...rules[1], min: -1 }] } },
    `tracing.alerts.rules are not what their texts say; expected ${asRead}`,
  ],
]

test.each(wrong)('tracing %j is refused', async (tracing, words) => {
  const output = join(folder(), 'output')
  const options = { listen: '127.0.0.1:0', output, tracing } as RelayOptions
  await expect(startRelay(options)).rejects.toThrow(new TypeError(words))
  expect(existsSync(output)).toBe(false)
})

test.each<Partial<RelayOptions>>([
  { listen: '0.0.0.0:0' },
  { tracing: { listen: '0.0.0.0:0' } },
  { scribe: { listen: '0.0.0.0:0' } },
  { scribe: { listen: '127.0.0.1:0', categories: { a: '../b' } } },
  { tracing: { alerts: { rules, webhook: 'ftp://x' } } },
])('%j is refused, and leaves nothing behind', async (more) => {
  const output = join(folder(), 'output')
  await expect(startRelay({ listen: '127.0.0.1:0', output, ...more })).rejects.toThrow(TypeError)
  expect(existsSync(output)).toBe(false)
})

test('rules are taken as they were read', async () => {
  const alerts = { rules: [...many.slice(2), ...structuredClone(rules)] }
  const relay = await relayIn(folder(), { tracing: { alerts } })
  expect(relay.stats().tracing!.alerts!.alerts).toHaveLength(50)
})
