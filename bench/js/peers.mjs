// bench/js/peers.mjs: what services write today in place of tracepoints: a line of text for each event, by console.log and by pino,
// into files. stdout is such a file, so answers go to descriptor 3. argv: the file that pino's Worker writes.
import pino from 'pino'
import { serve } from '../lib/serve.mjs'

const logger = pino(pino.transport({ target: 'pino/file', options: { destination: process.argv[2] } }))
const operations = ['read', 'write']
const sink = new Uint32Array(256)

function consoleLog(count) {
  let x = count >>> 0
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    sink[x >>> 24] = x
    console.log('request', operations[x & 1], x, 4096)
  }
}

function pinoWorker(count) {
  let x = count >>> 0
  for (let i = 0; i < count; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0
    sink[x >>> 24] = x
    logger.info({ operation: operations[x & 1], offset: x, length: 4096 }, 'request')
  }
}

const flushed = () => new Promise((resolve) => logger.flush(resolve))

await serve({ console: { run: consoleLog }, pino: { run: pinoWorker, after: flushed } }, {}, 3)
logger.flush()
process.exit()
