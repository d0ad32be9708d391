// relay/test/alert-rules.test.ts: the text of rules: what it says, and the words in which it is refused.

import { expect, test } from 'vitest'
import { parseAlerts } from '../src/pipeline/alerts/parse.js'
import { alertName, amountOf, measureOf, timeOf } from '../src/pipeline/alerts/rule.js'
import { compileSelection } from '../src/pipeline/alerts/select.js'
import type { Span } from '../src/spans/span.js'

const usual = { min: 10, forMs: 0, keepMs: 10_000 }

test('a rule is a line: what is measured, of which spans, above what, over how long', () => {
  const text = `
# comments and empty lines are nothing
slow-writes: p99.9(service=BlockStore span=write tag.export=disk0) > 20ms over 30s by tag.export # so is this
failing:errors(service=osd.*)>1.5% over 1m min 100 severity=page for 5s team="on call" keep 1s
lost: missing(span=object kind=local -> span="a -> \\"b\\"" tag.op=*)>0 over 30s`
  expect(parseAlerts(text)).toEqual([
    {
      ...{ name: 'slow-writes', kind: 'latency', percent: 99.9, threshold: 20_000, windowMs: 30_000 },
      ...{ ...usual, by: 'tag.export' },
      select: {
        ...{ service: 'blockstore', span: 'write', tags: [['export', 'disk0']] },
        text: 'service=BlockStore span=write tag.export=disk0',
      },
      text: 'p99.9(service=BlockStore span=write tag.export=disk0) > 20ms over 30s by tag.export',
    },
    {
      ...{ name: 'failing', kind: 'errors', threshold: 0.015, windowMs: 60_000 },
      ...{ min: 100, forMs: 5000, keepMs: 1000 },
      select: { service: 'osd.*', tags: [], text: 'service=osd.*' },
      labels: { severity: 'page', team: 'on call' },
      text: 'errors(service=osd.*)>1.5% over 1m min 100 severity=page for 5s team="on call" keep 1s',
    },
    {
      ...{ name: 'lost', kind: 'missing', threshold: 0, windowMs: 30_000, ...usual, min: 1 },
      select: { span: 'object', kind: 'local', tags: [], text: 'span=object kind=local' },
      below: { span: 'a -> "b"', tags: [['op', '*']], text: 'span="a -> \\"b\\"" tag.op=*' },
      text: 'missing(span=object kind=local -> span="a -> \\"b\\"" tag.op=*)>0 over 30s',
    },
  ])
})

const spans = 'p50 to p99.9, errors or missing'
const time = 'a time from 1s to 1h, such as 30s'

test.each([
  ['', `there is no rule; expected NAME: p99(SPANS) > 20ms over 30s`],
  ['# only this', 'there is no rule; expected NAME'],
  ['5x: p99() > 1ms over 1s', 'line 1: name is "5x"; expected a letter, then at most 63 letters'],
  ['a', 'line 1: alert "a": nothing behind "a"; expected ":"'],
  ['a: p49() > 1ms over 1s', `line 1: alert "a": measure is "p49"; expected ${spans}`],
  ['a: p99.99() > 1ms over 1s', `line 1: alert "a": measure is "p99.99"; expected ${spans}`],
  ['a: mean() > 1ms over 1s', `measure is "mean"; expected ${spans}`],
  ['a: p99 > 1ms', 'alert "a": ">" behind "p99"; expected "("'],
  ['a: p99(name=x) > 1ms over 1s', 'key is "name"; expected service, span, kind or tag.KEY'],
  ['a: p99(tag.=x) > 1ms over 1s', 'key is "tag."; expected service, span, kind or tag.KEY'],
  ['a: p99(service) > 1ms over 1s', '")" behind "service"; expected "="'],
  ['a: p99(service=) > 1ms over 1s', '")" behind "="; expected what service is'],
  ['a: p99(span=a span=b) > 1ms over 1s', 'span is given twice; expected it once'],
  ['a: p99(kind=both) > 1ms over 1s', 'kind is "both"; expected local, client, server, producer, consumer'],
  ['a: p99() < 1ms over 1s', '"<" behind ")"; expected ">"'],
  ['a: p99() > 20 over 1s', 'threshold is "20"; expected a time from 1us to 1h, such as 20ms'],
  ['a: p99() > 2h over 1s', 'threshold is "2h"; expected a time from 1us to 1h'],
  ['a: errors() > 5 over 1s', 'threshold is "5"; expected a share from 0% to less than 100%, such as 1%'],
  ['a: errors() > 100% over 1s', 'threshold is "100%"; expected a share'],
  ['a: missing(span=a -> span=b) > 1% over 1s', 'threshold is "1%"; expected a whole number from 0'],
  ['a: missing(span=a) > 0 over 1s', '")" behind "a"; expected "->"'],
  [
    'a: missing(-> span=b) > 0 over 1s',
    'missing() has an empty side; expected missing(span=object -> span=replica)',
  ],
  ['a: missing(span=a ->) > 0 over 1s', 'missing() has an empty side'],
  ['a: p99(span=a -> span=b) > 1ms over 1s', '"->" behind "a"; expected ")"'],
  ['a: p99() > 1ms', 'nothing behind "1ms"; expected over'],
  ['a: p99() > 1ms over 30', `over is "30"; expected ${time}`],
  ['a: p99() > 1ms over 999ms', `over is "999ms"; expected ${time}`],
  ['a: p99() > 1ms over 61m', `over is "61m"; expected ${time}`],
  ['a: p99() > 1ms over 1s of 2', 'option is "of"; expected by, min, for, keep or LABEL=VALUE'],
  ['a: p99() > 1ms over 1s by export', 'by is "export"; expected service, span or tag.KEY'],
  ['a: p99() > 1ms over 1s by span by span', 'by is given twice; expected it once'],
  ['a: p99() > 1ms over 1s min 0', 'min is "0"; expected a whole number from 1'],
  ['a: missing(span=a -> span=b) > 0 over 1s min 2', 'min is given; missing() counts from the first'],
  ['a: p99() > 1ms over 1s for 0s', 'for is "0s"; expected a time from 1ms to 1h'],
  ['a: errors() > 1% over 1s severity=', 'alert "a": nothing behind "="; expected what severity is'],
  ['a: errors() > 1% over 1s severity=""', 'label severity is ""; expected a value'],
  ['a: errors() > 1% over 1s team=a team=b', 'label team is given twice; expected it once'],
  ['a: errors() > 1% over 1s alertname=b', 'label is "alertname"; expected letters, digits and "_", not'],
  ['a: errors() > 1% over 1s __name__=b', 'label is "__name__"; expected letters, digits and "_", not'],
  ['a: errors() > 1% over 1s se-verity=b', 'label is "se-verity"; expected letters, digits and "_", not'],
  ['a: errors() > 1% over 1s min=5', '"=" behind "min"; expected a whole number from 1'],
  ['a: errors() > 1% over 1s by tag.disk.id disk_id=5', 'label "disk_id" is what "tag.disk.id" is called'],
  [
    `a: errors() > 1% over 1s ${Array.from({ length: 21 }, (_, i) => `l${i}=x`).join(' ')}`,
    'alert "a": there are more than 20 labels',
  ],
  ['a: p99(span="x) > 1ms over 1s', 'line 1: column 13: "\\"" begins a text that does not end'],
  [
    '\na: errors() > 1% over 1s\na: errors() > 1% over 1s',
    'line 3: alert "a" is there already; expected another name',
  ],
  [
    `a: p99(span=${'x'.repeat(1000)}) > 1ms over 1s`,
    'line 1: 1027 characters; expected a rule of at most 1000',
  ],
  ['\0\x01ELF', 'line 1: name is "\\u0000\\u0001ELF"; expected a letter'],
  [
    Array.from({ length: 51 }, (_, i) => `a${i}: errors() > 1% over 1s`).join('\n'),
    'there are 51 rules; expected at most 50',
  ],
])('is refused: %#', (text, message) => {
  expect(() => parseAlerts(text)).toThrow(TypeError)
  expect(() => parseAlerts(text)).toThrow(message)
})

test('a selection wants all of it, and a star is any run of characters', () => {
  const of = (text: string) => compileSelection(parseAlerts(`a: errors(${text}) > 0% over 1s`)[0]!.select)
  const span: Span = {
    ...{ traceId: '00000000000000ab', id: '00000000000000cd', name: 'get /a', kind: 'SERVER' },
    ...{ localEndpoint: { serviceName: 'osd.0' }, tags: { url: 'http://a:80/b', error: '' } },
  }
  for (const text of ['', 'service=osd.0', 'service=OSD.*', 'span="GET /a"', 'kind=server tag.error=*']) {
    expect(of(text)(span), text).toBe(true)
  }
  expect(of('tag.url=http*b')(span), 'colons are nothing special').toBe(true)
  for (const text of ['service=osd', 'span=get', 'kind=local', 'tag.url=', 'tag.toString=*', 'tag.error=x']) {
    expect(of(text.replace(/=$/, '=""'))(span), text).toBe(false)
  }
  expect(of('service=* span=*')({ traceId: span.traceId, id: span.id }), 'none is empty').toBe(true)
})

test('amounts have the unit of what is measured', () => {
  expect([0, 1, 999.6, 1234, 20_000, 1_234_567, 90e6].map(timeOf)).toEqual([
    ...['0us', '1us', '1ms', '1.23ms', '20ms', '1.23s', '90s'],
  ])
  expect(amountOf({ kind: 'errors' }, 1 / 3)).toBe('33.3%')
  expect(amountOf({ kind: 'missing' }, 1234)).toBe('1234')
  const [rule] = parseAlerts('a: missing(span=a -> span=b) > 0 over 30s')
  expect(measureOf(rule!)).toBe('missing(span=a -> span=b)')
})

test.each([
  [undefined, 'slow'],
  ['disk0', 'slow{tag.export=disk0}'],
  ['', 'slow{tag.export=""}'],
  ['a "b"}\n', 'slow{tag.export="a \\"b\\"}\\n"}'],
])('of the value %j an alert is called %s', (value, name) => {
  expect(alertName({ name: 'slow', by: 'tag.export' }, value)).toBe(name)
})

test('blanks that align a file are one in what is told, but for those in quotes', () => {
  const [rule] = parseAlerts('a:  p99(service=x   span="a  b")    > 20ms   over  30s')
  expect(rule).toMatchObject({
    text: 'p99(service=x span="a  b") > 20ms over 30s',
    select: { text: 'service=x span="a  b"' },
  })
})
