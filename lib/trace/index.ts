// lib/trace/index.ts: what the public API exports as `trace`.
import { applyEnvironment } from '../environment.js'
import { show } from '../show.js'
import { type ContentSampling, setContentSampling } from './content.js'
import { counts, refused } from './counts.js'
import { instrument } from './instrument.js'
import { extract, unpack } from './remote.js'
import { current, run } from './run.js'
import { parseTraceSample, setTraceSample } from './sampler.js'
import { servedOf } from './served.js'
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

/**
 * Says which route a request takes that `trace.instrument('http')` makes a span of: its name becomes `GET /users/:id`, its tag
 * `http.route` the route. For frameworks that do not tell it themselves: Koa, Hapi. Does nothing where the request has no span.
 *
 * @param request node:http's message, or node:http2's or its stream
 */
function route(request: object, path: string): void {
  if (typeof request !== 'object' || request === null || typeof path !== 'string') counts[refused]!++
  else servedOf(request)?.route(path)
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
  route: typeof route
} = Object.freeze({ start, run, current, extract, unpack, sample, instrument, route })
