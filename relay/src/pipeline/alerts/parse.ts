// relay/src/pipeline/alerts/parse.ts: the text of a file of rules to rules: the door of --alerts. Pure. A rule is a line:
//
//   slow-writes:  p99(service=blockstore span=write) > 20ms over 30s by tag.export
//   failing:      errors(service=osd.*) > 1% over 60s min 100 for 10s keep 30s severity=page team=storage
//   lost-replica: missing(service=blockstore span=object -> span=replica) > 0 over 30s
//
// A refusal names the line, the alert, what was given and what is allowed.

import { KINDS } from '../../spans/span.js'
import { type Amount, amounts, count, time } from './amounts.js'
import { labelName } from './labels.js'
import type { AlertRule, Selection } from './rule.js'
import { type Token, tokensOf } from './tokens.js'

const mostRules = 50
const mostText = 1000
const mostLabels = 20
const usualMin = 10
const usualKeepMs = 10_000

const optionNames = 'by, min, for, keep or LABEL=VALUE'
const kinds: string[] = ['local', ...KINDS.map((kind) => kind.toLowerCase())]
const form = 'NAME: p99(SPANS) > 20ms over 30s, or errors(...) > 1%, or missing(SPANS -> SPANS) > 0'

/** @throws TypeError naming line, alert, what was given and what is allowed */
export function parseAlerts(text: string): AlertRule[] {
  const rules: AlertRule[] = []
  for (const [i, line] of text.split(/\r?\n/).entries()) {
    try {
      const rule = parseLine(line)
      if (rule === undefined) continue
      if (rules.some(({ name }) => name === rule.name))
        throw new TypeError(`alert "${rule.name}" is there already; expected another name`)
      rules.push(rule)
    } catch (error) {
      throw new TypeError(`line ${i + 1}: ${(error as Error).message}`)
    }
  }
  if (rules.length === 0) throw new TypeError(`there is no rule; expected ${form}`)
  if (rules.length <= mostRules) return rules
  throw new TypeError(`there are ${rules.length} rules; expected at most ${mostRules}`)
}

function parseLine(line: string): AlertRule | undefined {
  if (line.length > mostText)
    throw new TypeError(`${line.length} characters; expected a rule of at most ${mostText}`)
  return parseRule(line)
}

/** Undefined where nothing is in it but a comment. */
export function parseRule(line: string): AlertRule | undefined {
  const tokens = tokensOf(line)
  return tokens.length === 0 ? undefined : new Line(line, tokens).rule()
}

class Line {
  #at = 0
  #where = ''

  constructor(
    readonly line: string,
    readonly tokens: readonly Token[],
  ) {}

  rule(): AlertRule {
    const name = this.#word('a name')
    if (!/^[A-Za-z][\w.-]{0,63}$/.test(name))
      throw new TypeError(
        `name is ${quoted(name)}; expected a letter, then at most 63 letters, digits, "-", "_" and "."`,
      )
    this.#where = `alert "${name}": `
    this.#mark(':')
    const from = this.tokens[this.#at]?.from ?? 0
    const measure = this.#measure()
    this.#mark('>')
    const threshold = this.#value('threshold', amounts[measure.kind])
    this.#keyword('over')
    const windowMs = this.#value('over', time(1000))
    const options = this.#options(measure.kind)
    const taken = options.by === undefined ? undefined : labelName(options.by)
    if (taken !== undefined && Object.hasOwn(options.labels ?? {}, taken))
      throw this.#error(`label ${quoted(taken)} is what ${quoted(options.by!)} is called; expected another`)
    const text = oneBlank(this.line.slice(from, this.tokens.at(-1)!.to))
    return { name, ...measure, threshold, windowMs, ...options, text }
  }

  #measure() {
    const allowed = 'p50 to p99.9, errors or missing'
    const word = this.#word(allowed)
    const percent = Number(/^p(\d\d(?:\.\d\d?)?)$/.exec(word)?.[1])
    const isLatency = percent >= 50 && percent <= 99.9
    if (!isLatency && word !== 'errors' && word !== 'missing') throw this.#refused('measure', word, allowed)
    this.#mark('(')
    const select = this.#selection()
    if (word !== 'missing') {
      this.#mark(')')
      return isLatency
        ? ({ kind: 'latency', percent, select } as const)
        : ({ kind: 'errors', select } as const)
    }
    this.#mark('->')
    const below = this.#selection()
    this.#mark(')')
    if (select.text === '' || below.text === '')
      throw this.#error('missing() has an empty side; expected missing(span=object -> span=replica)')
    return { kind: 'missing', select, below } as const
  }

  #selection(): Selection {
    const from = this.tokens[this.#at]?.from ?? 0
    let to = from
    const selection: Omit<Selection, 'text'> & { tags: [string, string][] } = { tags: [] }
    while (this.#next?.kind === 'word') {
      const key = keyOf(this.#word(''), ['service', 'span', 'kind'])
      if (key === undefined)
        throw this.#refused('key', this.tokens[this.#at - 1]!.text, 'service, span, kind or tag.KEY')
      this.#mark('=')
      const value = this.#word(`what ${key} is`)
      to = this.tokens[this.#at - 1]!.to
      if (key.startsWith('tag.')) {
        selection.tags.push([key.slice('tag.'.length), value])
        continue
      }
      const plain = key as 'service' | 'span' | 'kind'
      if (selection[plain] !== undefined) throw this.#error(`${key} is given twice; expected it once`)
      if (key === 'kind' && !kinds.includes(value)) throw this.#refused(key, value, kinds.join(', '))
      selection[plain] = value.toLowerCase() // as spans have them
    }
    return { ...selection, text: oneBlank(this.line.slice(from, to)) }
  }

  #options(kind: AlertRule['kind']) {
    const given: {
      min?: number
      forMs?: number
      keepMs?: number
      by?: string
      labels?: Record<string, string>
    } = {}
    const once = (is: unknown, word: string) => {
      if (is !== undefined) throw this.#error(`${word} is given twice; expected it once`)
    }
    while (this.#next !== undefined) {
      const word = this.#word(optionNames)
      if (word === 'by') {
        once(given.by, word)
        const by = this.#word('service, span or tag.KEY')
        given.by = keyOf(by, ['service', 'span'])!
        if (given.by === undefined) throw this.#refused(word, by, 'service, span or tag.KEY')
      } else if (word === 'min') {
        once(given.min, word)
        if (kind === 'missing')
          throw this.#error('min is given; missing() counts from the first, its threshold says how many')
        given.min = this.#value(word, count(1))
      } else if (word === 'for') {
        once(given.forMs, word)
        given.forMs = this.#value(word, time(1))
      } else if (word === 'keep') {
        once(given.keepMs, word)
        given.keepMs = this.#value(word, time(1))
      } else if (this.#next?.text === '=') {
        given.labels ??= {}
        this.#label(word, given.labels)
      } else throw this.#refused('option', word, optionNames)
    }
    return { min: kind === 'missing' ? 1 : usualMin, forMs: 0, keepMs: usualKeepMs, ...given }
  }

  #label(name: string, labels: Record<string, string>): void {
    this.#mark('=')
    if (!/^(?!__)[A-Za-z_]\w{0,63}$/.test(name) || name === 'alertname')
      throw this.#refused(
        'label',
        name,
        'letters, digits and "_", not "alertname", nor with "__" or a digit first',
      )
    if (Object.hasOwn(labels, name)) throw this.#error(`label ${name} is given twice; expected it once`)
    const value = this.#word(`what ${name} is`)
    if (value === '') throw this.#refused(`label ${name}`, value, 'a value')
    if (Object.keys(labels).length >= mostLabels)
      throw this.#error(`there are more than ${mostLabels} labels`)
    labels[name] = value
  }

  get #next(): Token | undefined {
    return this.tokens[this.#at]
  }

  #word(expected: string): string {
    const { kind, text } = this.#next ?? {}
    if (kind !== 'word') throw this.#misplaced(text, expected)
    this.#at++
    return text!
  }

  #mark(mark: string): void {
    const { kind, text } = this.#next ?? {}
    if (kind !== 'mark' || text !== mark) throw this.#misplaced(text, `"${mark}"`)
    this.#at++
  }

  #keyword(word: string): void {
    if (this.#next?.text !== word) throw this.#misplaced(this.#next?.text, word)
    this.#at++
  }

  #value(field: string, { read, allowed }: Amount): number {
    const text = this.#word(allowed)
    const value = read(text)
    if (value === undefined) throw this.#refused(field, text, allowed)
    return value
  }

  #misplaced(text: string | undefined, expected: string): TypeError {
    const at = this.tokens[this.#at - 1]?.text
    const behind = at === undefined ? '' : ` behind ${quoted(at)}`
    return this.#error(`${text === undefined ? 'nothing' : quoted(text)}${behind}; expected ${expected}`)
  }

  #refused(field: string, given: string, allowed: string): TypeError {
    return this.#error(`${field} is ${quoted(given)}; expected ${allowed}`)
  }

  #error(message: string): TypeError {
    return new TypeError(this.#where + message)
  }
}

/** What aligns the columns of a file is nothing to whom it is told; in quotes it is part of a name. */
const oneBlank = (text: string): string =>
  text.replace(/("(?:[^"\\]|\\.)*")|\s+/g, (_, kept?: string) => kept ?? ' ')

const quoted = (text: string): string => JSON.stringify(text)

const keyOf = (word: string, names: string[]): string | undefined =>
  names.includes(word) || /^tag\../.test(word) ? word : undefined
