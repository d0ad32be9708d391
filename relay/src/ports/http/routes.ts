// relay/src/ports/http/routes.ts: Zipkin's HTTP API: a path and a method to an answer. The server calls route().
// What each endpoint takes and answers is Zipkin's, but for /api/blkin and /metrics; where we differ is in docs/traces.md. It knows no sockets.

import type { Exposed } from '../../metrics/exposition.js'
import type { SpanStore } from '../../pipeline/store/store.js'
import { spansFromJson } from '../../spans/formats/from-json.js'
import { spansFromProto } from '../../spans/formats/from-proto.js'
import { spansFromThrift } from '../../spans/formats/from-v1.js'
import { spansFromV1Json } from '../../spans/formats/from-v1-json.js'
import { fullTraceId } from '../../spans/ids.js'
import { makeQuery } from '../../spans/query.js'
import type { Span } from '../../spans/span.js'
import { type Answer, HttpError, json, text } from './answer.js'
import type { Parameters } from './parameters.js'

const DAY_MS = 86_400_000
/** Of one answer; those of a search, and those that are asked for by their ids. */
const MOST_TRACES = 10_000
const MOST_IDS = 1000
/** Characters of a content type that a refusal quotes. */
const MOST_TYPE = 100

export interface Request {
  method: string
  path: string
  parameters: Parameters
  contentType: string
  /** Which forms of an answer are wanted. */
  accept: string
  body(): Promise<Buffer>
}

export interface Api {
  store: SpanStore
  version: string
  /** Where posted spans go. False where there is no room now. */
  accept(spans: Span[]): boolean
  /** How the relay is, as JSON has it. */
  status(): Promise<object>
  /** What was put before is in the answer. */
  catchUp(): Promise<void>
  /** What Prometheus scrapes. */
  metrics(accept: string): Promise<Exposed>
}

type Route = (api: Api, request: Request) => Answer | Promise<Answer>

const ROUTES: Record<string, Route> = {
  'GET /health': () =>
    json({ status: 'UP', zipkin: { status: 'UP', details: { DuckDB: { status: 'UP' } } } }),
  'GET /info': ({ version }) => json({ zipkin: { version, commit: 'blkin' } }),
  'GET /config.json': () => json(CONFIG),
  'GET /zipkin/config.json': () => json(CONFIG),
  'GET /api/v2/services': ({ store }) => json(store.services()),
  'GET /api/v2/spans': ({ store }, { parameters }) =>
    json(store.spanNames(parameters.required('serviceName'))),
  'GET /api/v2/remoteServices': ({ store }, { parameters }) =>
    json(store.remoteServices(parameters.required('serviceName'))),
  'GET /api/v2/traces': async ({ store }, { parameters }) => json(await store.search(queryOf(parameters))),
  'GET /api/v2/traceMany': traceMany,
  'GET /api/v2/dependencies': dependencies,
  'GET /api/v2/autocompleteKeys': ({ store }) => json(store.values.keys),
  'GET /api/v2/autocompleteValues': autocompleteValues,
  'POST /api/v1/spans': (api, request) =>
    post(api, request, { 'application/json': spansFromV1Json, 'application/x-thrift': spansFromThrift }),
  'POST /api/v2/spans': (api, request) =>
    post(api, request, { 'application/json': spansFromJson, 'application/x-protobuf': spansFromProto }),
  'GET /api/blkin/status': async ({ status }) => json(await status()),
  'GET /metrics': async ({ metrics }, { accept }) => ({ status: 200, ...(await metrics(accept)) }),
}

export async function route(api: Api, request: Request): Promise<Answer> {
  const { method } = request
  if (request.path.startsWith('/zipkin/') && method !== 'GET') return text(405, '405 Method Not Allowed')
  const path = request.path.replace(/^\/zipkin(?=\/api\/v2\/)/, '') // where Lens asks, and its nginx
  if (method === 'GET' && path.startsWith('/api/v2/')) await api.catchUp()
  const found = ROUTES[`${method} ${path}`]
  if (found) return found(api, request)
  const [, traceId] = /^\/api\/v2\/trace\/([^/]+)$/.exec(path) ?? []
  if (method === 'GET' && traceId !== undefined) return trace(api, decode(traceId))
  return text(404, '404 Not Found')
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** What Lens asks for when it starts. */
const CONFIG = {
  environment: '',
  queryLimit: 10,
  defaultLookback: 900_000,
  searchEnabled: true,
  logsUrl: null,
  supportUrl: null,
  archivePostUrl: null,
  archiveUrl: null,
  dependency: { enabled: true, lowErrorRate: 0.5, highErrorRate: 0.75 },
}

function queryOf(parameters: Parameters) {
  if (parameters.text('limit') === '') {
    throw new RangeError('Cannot set null to primitive type parameter: limit')
  }
  const limit = parameters.number('limit') ?? 10
  if (limit > MOST_TRACES) throw new RangeError(`limit is ${limit}; expected 1 to ${MOST_TRACES}`)
  return makeQuery({
    serviceName: parameters.text('serviceName'),
    remoteServiceName: parameters.text('remoteServiceName'),
    spanName: parameters.text('spanName'),
    annotationQuery: parameters.text('annotationQuery'),
    minDuration: parameters.number('minDuration'),
    maxDuration: parameters.number('maxDuration'),
    endTs: parameters.number('endTs') ?? Date.now(),
    lookback: parameters.number('lookback') ?? DAY_MS,
    limit,
  })
}

async function trace({ store }: Api, given: string): Promise<Answer> {
  const traceId = fullTraceId(given.trim())
  const [spans] = await store.traces([traceId])
  return spans ? json(spans) : text(404, `${traceId} not found`)
}

async function traceMany({ store }: Api, { parameters }: Request): Promise<Answer> {
  const given = parameters.required('traceIds')
  if (given === '') throw new RangeError('traceIds parameter is empty')
  const ids = given.split(',')
  if (ids.length === 1) {
    throw new RangeError('Use /api/v2/trace/{traceId} endpoint to retrieve a single trace')
  }
  if (ids.length > MOST_IDS) throw new RangeError(`traceIds are ${ids.length}; expected 2 to ${MOST_IDS}`)
  const full = new Set<string>()
  for (const id of ids) {
    const one = fullTraceId(id)
    if (full.has(one)) throw new RangeError(`redundant traceId: ${id}`)
    full.add(one)
  }
  return json(await store.traces([...full]))
}

async function dependencies({ store }: Api, { parameters }: Request): Promise<Answer> {
  parameters.required('endTs')
  const endTs = parameters.number('endTs')
  if (endTs === undefined) throw new RangeError('Cannot set null to primitive type parameter: endTs')
  const lookback = parameters.number('lookback') ?? DAY_MS
  if (endTs <= 0) throw new RangeError('endTs <= 0')
  if (lookback <= 0) throw new RangeError('lookback <= 0')
  return json(await store.links(endTs, lookback))
}

function autocompleteValues({ store }: Api, { parameters }: Request): Answer {
  const key = parameters.required('key')
  if (key === '') throw new RangeError('key was empty')
  return json(store.values.of(key))
}

type Decode = (bytes: Buffer) => Span[]

/**
 * What is not said to be anything is read as JSON, as Zipkin does. A form's types are refused: those a browser sends for any page,
 * and asks nobody.
 */
function decoderOf({ contentType }: Request, decoders: Record<string, Decode>): Decode {
  const type = contentType.replace(/;.*/s, '').trim().toLowerCase() || 'application/json'
  if (Object.hasOwn(decoders, type)) return decoders[type]!
  throw new HttpError(
    415,
    `content-type is ${JSON.stringify(type.slice(0, MOST_TYPE))}; expected ${Object.keys(decoders).join(' or ')}, ` +
      "as by curl -H 'content-type: application/json'",
  )
}

async function post({ accept }: Api, request: Request, decoders: Record<string, Decode>): Promise<Answer> {
  const decode = decoderOf(request, decoders)
  const spans = decode(await request.body())
  if (!accept(spans)) throw new HttpError(503, 'too many spans wait to be stored; try again later')
  return { status: 202, body: '' }
}
