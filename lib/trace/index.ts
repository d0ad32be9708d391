// lib/trace/index.ts: what the public API exports as `trace`.
import { applyEnvironment } from '../environment.js'
import { show } from '../show.js'
import { type ContentSampling, setContentSampling } from './content.js'
import { instrument } from './instrument.js'
import { extract, unpack } from './remote.js'
import { current, run } from './run.js'
import { parseTraceSample, setTraceSample } from './sampler.js'
import type { Span, SpanOptions } from './span.js'
import { start } from './start.js'
import { beginInStarter } from './workers.js'

beginInStarter()

/**
 * Which of the traces that begin in this thread are recorded: a share of all ('1/100', '1%', 0.01), or so many a second
 * ('50/s'); and, where `content` is given, what it says of a root, which goes first. A Worker samples for itself.
 *
 * @throws TypeError (ERR_BLKIN_SAMPLE) naming what was given
 */
function sample(share: string | number, content?: ContentSampling): void {
  const parsed = parseTraceSample(String(share))
  if (content !== undefined && typeof content !== 'function')
    throw Object.assign(new TypeError(`content is ${show(content)}; expected a function`), {
      code: 'ERR_BLKIN_SAMPLE',
    })
  applyEnvironment() // which would otherwise come later, and undo this
  setTraceSample(parsed)
  setContentSampling(content)
}

export const trace: {
  /** Starts a span: below `options.parent` or the current span; the root of a new trace where there is neither. */
  start(name: string, options?: SpanOptions): Span
  run: typeof run
  current: typeof current
  extract: typeof extract
  unpack: typeof unpack
  sample: typeof sample
  instrument: typeof instrument
} = Object.freeze({ start, run, current, extract, unpack, sample, instrument })
