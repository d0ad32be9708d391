// relay/src/pipeline/delivery/post.ts: one POST to a collector or a webhook, and what its answer means for what is in it.

import { NotTaken } from './outbox.js'

/** Answers that mean "not now", beside those of 500 and above. */
const later = new Set([401, 403, 404, 408, 425, 429])
const mostWords = 300
/** Bytes of an answer that are read; what comes behind them is not. */
const mostAnswer = 2 ** 16

export interface Target {
  url: URL
  /** What shows the token or the password, where there is one. */
  headers: Record<string, string>
  /** What an answer may say of it, and no log. */
  secrets?: readonly string[]
}

/**
 * A URL, or a host and port, to where `what` posts; `path` where none is given. A password without a user is a token: neither is
 * in the URL that comes of it, nor in what an error says.
 *
 * @throws TypeError naming what was given
 */
export function httpTarget(
  text: string,
  path: string,
  what = 'sink',
  expected = 'a URL such as http://zipkin:9411',
): Target {
  try {
    const url = new URL(text.includes('://') ? text : `http://${text}`)
    const [user, secret] = [decodeURIComponent(url.username), decodeURIComponent(url.password)]
    const isToken = user === ''
    if (!/^https?:$/.test(url.protocol) || url.hash !== '') throw url
    if (isToken ? !/^[!-~]*$/.test(secret) : secret === '' || user.includes(':')) throw url
    url.username = url.password = ''
    if (url.pathname === '/') url.pathname = path
    if (secret === '') return { url, headers: {} }
    const shown = isToken ? secret : Buffer.from(`${user}:${secret}`).toString('base64')
    const authorization = `${isToken ? 'Bearer' : 'Basic'} ${shown}`
    return { url, headers: { authorization }, secrets: [shown, secret] }
  } catch {
    const shown = text.replace(/^([^/]*:\/\/)?.*@/s, '$1***@')
    throw new TypeError(`${what} ${JSON.stringify(shown)}: expected ${expected}, or HOST:PORT`)
  }
}

/**
 * Resolves when it was taken.
 *
 * @returns the answer's body, of a long one the begin
 * @throws NotTaken where the body is refused for what it is; Error where trying again may help
 */
export async function post(
  target: Target,
  headers: Record<string, string>,
  body: Uint8Array,
  signal: AbortSignal,
): Promise<Buffer> {
  const asked = { ...headers, ...target.headers, 'accept-encoding': 'identity' } // a packed answer can be a thousand times as large
  const how = { method: 'POST', headers: asked, body, signal, redirect: 'error' } as const
  const response = await fetch(target.url, how).catch((error) => {
    throw new Error(whyOf(error as Error))
  })
  const answer = await beginOf(response)
  if (response.ok) return answer
  const words = withoutSecrets(answer.toString(), target).slice(0, mostWords).trim()
  const said = `it answers ${response.status}${words === '' ? '' : `: ${JSON.stringify(words)}`}`
  throw response.status >= 500 || later.has(response.status) ? new Error(said) : new NotTaken(said)
}

/** Who refuses a token may say which. */
const withoutSecrets = (text: string, { secrets = [] }: Target): string =>
  secrets.reduce((rest, secret) => rest.replaceAll(secret, '***'), text)

async function beginOf({ body }: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    chunks.push(chunk)
    bytes += chunk.length
    if (bytes >= mostAnswer) break // which ends the connection where more would come
  }
  return Buffer.concat(chunks).subarray(0, mostAnswer)
}

/** What fetch says in codes of its own. */
const faults: [code: RegExp, words: string][] = [
  [/^HPE_/, 'it does not speak HTTP'],
  [/^UND_ERR_SOCKET$/, 'it ended the connection without an answer of HTTP'],
  [/^ERR_SSL_WRONG_VERSION_NUMBER$/, 'it does not speak TLS; expected http://'],
  [/^bad port$/, 'fetch asks nobody at a port that the web keeps for others'],
]

function whyOf(error: Error): string {
  const cause = (error.cause ?? error) as NodeJS.ErrnoException
  const code = cause.code ?? cause.message
  const [, words] = faults.find(([pattern]) => pattern.test(code)) ?? []
  return words === undefined ? code : `${words} (${code})`
}
