// relay/test/apache.ts: Apache's whole runtime, of which the relay carries a part: what tests speak to it with.
import { createRequire } from 'node:module'

export const apache = createRequire(import.meta.url)('thrift') as typeof import('thrift')
