// lib/trace/failure.ts: how a span tells that its work failed, or that its own side gave it up, which is no failure.
//
//   error      what went wrong, in words        error.type   its code or class
//   cancelled  why, where a reason was given
import type { Handle } from './handle.js'
import type { Span } from './span.js'

/** Of what was thrown, whatever that is: a string, undefined, a class of the program's with getters that throw. */
export function tellFailure(span: Span, error: unknown): void {
  try {
    const { name, code, message } = isErrorLike(error) ? error : { name: typeof error, message: error }
    const type = typeof code === 'string' ? code : String(name)
    span.tag('error', String(message) || type)
    span.tag('error.type', type)
  } catch {
    span.tag('error', 'an exception that has no text')
  }
}

/** Of a request that came to no whole answer; what the program or an exception said of it stays. */
export function tellBroken(span: Handle, error: string): void {
  if (!span.failed) span.tag('error', error)
}

/** Of a request that its own side sent: given up, or gone wrong. */
export function tellOutcome(span: Span, error: unknown): void {
  if (isCancellation(error)) tellCancelled(span, error)
  else tellFailure(span, error)
}

export function tellCancelled(span: Span, reason?: unknown): void {
  const text = isErrorLike(reason) ? reason.message : reason
  span.tag('cancelled', typeof text === 'string' && text !== '' ? text : 'true')
}

/** What the program itself said of a failure stays. */
export function tellStatus(span: Handle, status: number): void {
  span.tag('http.response.status_code', status)
  if (status < 500 || span.failed) return
  span.tag('error', String(status))
  span.tag('error.type', String(status))
}

/**
 * AbortController's, a stream's that was left, and whatever is no error at all, as `abort('reason')` gives. An Error that a
 * program gives as its reason is taken for the failure that it says it is.
 */
function isCancellation(error: unknown): boolean {
  if (!isErrorLike(error)) return true
  const { name, code } = error
  return name === 'AbortError' || code === 'ABORT_ERR' || code === 'UND_ERR_ABORTED'
}

function isErrorLike(value: unknown): value is { name: unknown; code?: unknown; message: unknown } {
  return typeof value === 'object' && value !== null && 'message' in value
}
