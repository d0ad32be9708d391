// lib/cli/overhead/probe.ts: loaded by --import into a server that `blkin overhead` has started: tells its event loop's delay, which
// nothing outside can see. Answers each line on the socket BLKIN_OVERHEAD_PROBE with the delays since the line before, and
// keeps no program from ending. server.ts listens.
import { connect } from 'node:net'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'

/** Milliseconds between two looks. */
const resolution = 5

const { BLKIN_OVERHEAD_PROBE: path } = process.env
if (path && isMainThread) {
  const delays = monitorEventLoopDelay({ resolution })
  const socket = connect(path)
  socket.unref()
  socket.on('error', () => delays.disable()) // whoever asked has gone
  socket.on('end', () => delays.disable())
  socket.on('data', () => {
    // What is recorded is the time from look to look.
    const [mean, p99] = [delays.mean, delays.percentile(99)].map((ns) => Math.max(0, ns / 1e6 - resolution))
    socket.write(`${JSON.stringify({ looks: delays.count, mean, p99 })}\n`)
    delays.reset()
  })
  delays.enable()
}
