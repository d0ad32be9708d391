// test/programs/two-processes.mjs: one request over two processes, for cli-traces.test.ts. The first sends it to the
// second, another run of this program, under one id for both sides of the call. Prints the trace's id.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { flush, trace } from 'blkin'

async function front() {
  const root = trace.start('write', {
    kind: 'server',
    remote: { service: 'qemu', address: '10.0.0.9', port: 4711 },
  })
  root.annotate('queued')
  root.tag('bytes', 4096)
  root.tag('evil', 'a\u001b[31mred\u009b2J\nnext')
  trace.run(root, () => trace.start('lookup').end())
  const put = trace.start('put', { kind: 'client', parent: root })
  const { b3 } = put.inject({}, 'b3')
  const child = spawn(process.execPath, [fileURLToPath(import.meta.url)], {
    env: { ...process.env, BLKIN_NAME: 'store', B3: b3 },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  await once(child, 'exit')
  put.end()
  root.end()
  console.log(JSON.stringify({ traceId: root.traceId, stored: await flush() }))
}

async function store() {
  const span = trace.extract({ b3: process.env.B3 }, 'b3').start('put', { kind: 'server' })
  span.tag('error', 'disk full')
  trace.run(span, () => trace.start('sync').end())
  span.end()
  await flush()
}

await (process.env.B3 === undefined ? front() : store())
