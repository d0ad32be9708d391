// test/programs/paused.mjs: loads argv[2] with a debugger attached, which runs in a Worker: breakpoints on the lines argv[3...], and
// `debugger` lines. Prints where the program stood still, as [line, text of the frame's source map URL or ''].
import { once } from 'node:events'
import { basename } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'

const [, , file, ...lines] = process.argv
const attached = new Worker(
  `
  const { Session } = require('node:inspector')
  const { parentPort, workerData } = require('node:worker_threads')
  const session = new Session()
  session.connectToMainThread()
  const stops = []
  session.on('Debugger.paused', ({ params: { callFrames: [{ location }] } }) => {
    stops.push(location.lineNumber + 1)
    session.post('Debugger.resume')
  })
  const maps = []
  session.on('Debugger.scriptParsed', ({ params: { url, sourceMapURL } }) => {
    if (url.endsWith(workerData.name)) maps.push(sourceMapURL.slice(0, 29))
  })
  parentPort.on('message', () => parentPort.postMessage({ stops, maps }))
  session.post('Debugger.enable', () => {
    for (const line of workerData.lines)
      session.post('Debugger.setBreakpointByUrl', {
        lineNumber: line - 1,
        urlRegex: workerData.name.replaceAll('.', '\\\\.') + '$',
      })
    session.post('Runtime.enable', () => parentPort.postMessage('attached'))
  })`,
  { eval: true, execArgv: [], workerData: { name: basename(file), lines: lines.map(Number) } },
)
await once(attached, 'message')
await import(pathToFileURL(file).href)
attached.postMessage('')
console.log(JSON.stringify((await once(attached, 'message'))[0]))
process.exit()
