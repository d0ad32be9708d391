// relay/src/ports/http/answer.ts: what a request is answered with. Routes return an Answer or throw; the server writes it.

import { TooMuch } from '../../spans/formats/amount.js'

export interface Answer {
  status: number
  type?: string
  body: string
  /** What the relay's own user is told instead. */
  cause?: string
  /** How a client may show who it is. */
  challenge?: string[]
}

/** Its message is the body of the answer. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export const json = (value: unknown): Answer => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify(value),
})

export const text = (status: number, body: string): Answer => ({
  status,
  type: 'text/plain; charset=utf-8',
  body,
})

/** Characters of a refusal: some quote what they refuse, which may be a whole body. */
const MOST_WORDS = 1000

/** What a parameter, an id or a posted span is refused for. */
export function answerTo(error: unknown): Answer | undefined {
  if (error instanceof HttpError) return text(error.status, error.message)
  if (error instanceof TooMuch) return text(413, error.message)
  return error instanceof RangeError ? text(400, error.message.slice(0, MOST_WORDS)) : undefined
}
