// lib/cli/zipkin.ts: questions to Zipkin's HTTP API, a relay's or a Zipkin server's, for the verbs that show traces.
import { NothingError, UsageError } from './exit.js'

export const apiDefault = '127.0.0.1:4651'

/** What is given as HOST:PORT or as http://HOST:PORT[/PATH]. @throws UsageError */
export function parseApi(text: string): URL {
  const full = /^https?:\/\//.test(text) ? text : `http://${text}`
  const hasPort = /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[^\s/:@?#]+)(:\d{1,5})?(\/[^?#]*)?$/.test(full)
  if (hasPort && URL.canParse(full)) return new URL(full.endsWith('/') ? full : `${full}/`)
  throw new UsageError(`--http: ${JSON.stringify(text)}: expected HOST:PORT or http://HOST:PORT`)
}

/** The answer's JSON; undefined where it says that there is no such thing (404). */
export async function ask(api: URL, path: string, query: URLSearchParams): Promise<unknown> {
  const url = new URL(`api/v2/${path}`, api)
  url.search = query.toString()
  const token = process.env.BLKIN_TOKEN
  const headers: Record<string, string> = token ? { authorization: `Bearer ${token}` } : {}
  let response: Response
  let text: string
  try {
    response = await fetch(url, { headers })
    text = await response.text()
  } catch (error) {
    const { cause } = error as { cause?: { code?: string; message?: string } }
    const why = cause?.code ?? cause?.message ?? (error as Error).message
    throw new Error(
      `nothing answers on ${api.origin} (${why}): start \`blkin relay --http\` there, or say with --http where it is`,
    )
  }
  if (response.status === 404) return undefined
  if (response.status === 401) throw new Error(`${api.origin} wants a token: BLKIN_TOKEN`)
  if (!response.ok) throw new Error(`${api.origin} answered ${response.status}: ${text.trim().slice(0, 500)}`)
  try {
    return JSON.parse(text)
  } catch {
    throw new Error(`${api.origin} answered what is no JSON: is Zipkin's API there?`)
  }
}

/** Says which services there are, where the one that was asked for is not among them. */
export async function nothingFound(api: URL, service: string | undefined): Promise<NothingError> {
  const services = (await ask(api, 'services', new URLSearchParams())) as string[] | undefined
  if (service !== undefined && services !== undefined && !services.includes(service.toLowerCase())) {
    const there = services.length === 0 ? 'none yet' : services.slice(0, 20).join(', ')
    return new NothingError(`no service ${JSON.stringify(service)} has spans here; there are: ${there}`)
  }
  return new NothingError(
    'no trace matches; spans take about a second to arrive, --last says how far to look',
  )
}
