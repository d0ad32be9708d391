// lib/cli/relay/zipkin.ts: asks a server that speaks Zipkin's HTTP API, version 2: a relay with --http, or Zipkin itself; and a
// relay how it is. What comes back is bounded in time and size and checked to be JSON; what it means is for the verbs.
// A token is shown where one is set: tokens.ts.
import { NothingError } from '../options/exit.js'
import { visible } from '../print/visible.js'
import { readerToken } from './tokens.js'

const timeoutMs = 30_000
const mostBytes = 256 * 2 ** 20

export type Parameters = Record<string, string | number | undefined>

/** @throws NothingError where a trace is not there, Error with what a person can do about it */
export function ask(
  base: string,
  path: string,
  parameters: Parameters = {},
  ms = timeoutMs,
): Promise<unknown> {
  return get(base, `/api/v2/${path}`, parameters, ms, 'Zipkin API')
}

/** @throws Error with what a person can do about it */
export function askRelay(base: string, path: string): Promise<unknown> {
  return get(base, `/api/blkin/${path}`, {}, timeoutMs, 'relay')
}

async function get(
  base: string,
  path: string,
  parameters: Parameters,
  ms: number,
  what: string,
): Promise<unknown> {
  const url = new URL(base + path)
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, String(value))
  }
  const { status, location, body } = await answerOf(base, url, ms)
  if (status === 200) return parse(base, body, what)
  const words = visible(body.slice(0, 300).trim())
  if (status === 404 && /^[0-9a-f]{16,32} not found/.test(words))
    throw new NothingError(`${words} at ${base}`)
  if (status === 404) throw new Error(`no ${what} at ${base}; --http says where one is`)
  if (status === 401)
    throw new Error(`${base} refuses: ${words || 'no token'}; set BLKIN_TOKEN to the relay's token`)
  if (location !== null)
    throw new Error(`${base} sends elsewhere, to ${visible(location)}: say that with --http`)
  throw new Error(`${base} answered ${status}: ${words}`)
}

async function answerOf(base: string, url: URL, ms: number) {
  const token = readerToken()
  try {
    const response = await fetch(url, {
      headers: { accept: 'application/json', ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
      redirect: 'manual', // the token is for whom the flag names
      signal: AbortSignal.timeout(ms),
    })
    const { status, headers } = response
    return { status, location: headers.get('location'), body: await bodyOf(base, response) }
  } catch (error) {
    throw requestError(base, error as Error, ms)
  }
}

class TooLarge extends Error {}

async function bodyOf(base: string, { body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > mostBytes)
      throw new TooLarge(`${base} answers with more than ${mostBytes / 2 ** 20} MiB; ask for less: --limit 1`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const awayCodes =
  /^(ECONNREFUSED|ECONNRESET|EHOST\w+|ENET\w+|ENOTFOUND|EAI_\w+|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/

function requestError(base: string, error: Error, ms: number): Error {
  if (error instanceof TooLarge) return error
  if (error.name === 'TimeoutError') return new Error(`${base} did not answer within ${ms / 1000} seconds`)
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  const why = visible(cause.code ?? cause.message)
  if (awayCodes.test(why))
    return new Error(
      `nobody answers at ${base} (${why}); start a relay there: blkin relay --http ${hostAndPort(base)}, or say with --http where one is`,
    )
  if (why === 'bad port')
    return new Error(`${base}: fetch asks nobody at a port that the web keeps for others; expected another`)
  if (why === 'ERR_SSL_WRONG_VERSION_NUMBER')
    return new Error(`${base} does not speak TLS (${why}); expected http://${hostAndPort(base)}`)
  return new Error(
    `${base} does not speak HTTP (${why}); a relay does where its --http says, not where its --listen says`,
  )
}

function hostAndPort(base: string): string {
  const { hostname, port, protocol } = new URL(base)
  return `${hostname}:${port || (protocol === 'https:' ? 443 : 80)}`
}

function parse(base: string, body: string, what: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Error(`no ${what} at ${base}: what it answers is no JSON; --http says where one is`)
  }
}
