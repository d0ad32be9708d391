// scripts/lib/demo-report.mjs: what the demo's trace says: counts, rates, latencies, sizes, losses, and whether
// babeltrace2 counts the same. Reads through @blkin/relay's public reader.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { root } from './run.mjs'

// From and to what, paired by which fields.
const pairs = [
  { name: 'a request, until its reply', from: 'blockstore:request', to: 'blockstore:reply', by: ['id'] },
  {
    name: 'a store message, there and back',
    from: 'objstore:client_send',
    to: 'objstore:client_receive',
    by: ['store', 'tag'],
  },
  {
    name: 'in the store process',
    from: 'objstore:server_receive',
    to: 'objstore:server_done',
    by: ['pid', 'tag'],
  },
]

const number = (n) => n.toLocaleString('en-US')
const micros = (ns) => `${number(Math.round(ns / 100) / 10)} us`

function percentile(sorted, part) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0
}

/** Aligns columns: the first to the left, the others to the right. */
function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))
  return rows.map((row) => `  ${row.map(pad).join('  ')}`).join('\n')
}

async function bytesOf(folder) {
  let sum = 0
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && /^(events|spans)_/.test(entry.name))
      sum += (await stat(join(entry.parentPath, entry.name))).size
  }
  return sum
}

async function read(trace) {
  const { readTrace } = await import('../../relay/dist/index.js')
  const seen = { counts: new Map(), processes: new Set(), lost: 0n, first: undefined, last: undefined }
  const open = pairs.map(() => new Map())
  const took = pairs.map(() => [])
  for await (const item of readTrace(trace)) {
    if (item.kind === 'loss') {
      seen.lost += item.events
      continue
    }
    const name = `${item.tracepoint.provider}:${item.tracepoint.event}`
    const time = item.time
    seen.first ??= time
    seen.last = time
    seen.processes.add(item.trace.pid)
    seen.counts.set(name, (seen.counts.get(name) ?? 0) + 1)
    for (const [i, { from, to, by }] of pairs.entries()) {
      if (name !== from && name !== to) continue
      const key = by.map((field) => (field === 'pid' ? item.trace.pid : item.fields[field])).join(' ')
      const begun = open[i].get(key)
      if (name === from) open[i].set(key, time)
      else if (begun !== undefined) {
        took[i].push(Number(time - begun))
        open[i].delete(key)
      }
    }
  }
  for (const list of took) list.sort((a, b) => a - b)
  return { ...seen, took }
}

/** How many events babeltrace2 prints; counted here, so that no text of hundreds of MB is kept. */
async function countByBabeltrace(trace) {
  const child = spawn('babeltrace2', [trace], { stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'close')
  let lines = 0
  for await (const chunk of child.stdout) for (const byte of chunk) if (byte === 10) lines++
  const [code] = await ended
  if (code !== 0) throw new Error(`babeltrace2 exited with ${code}`)
  return lines
}

export async function report(trace, { babeltrace }) {
  const { counts, processes, lost, first, last, took } = await read(trace)
  const total = [...counts.values()].reduce((sum, n) => sum + n, 0)
  const duration = Number(last - first) / 1e9
  const path = relative(root, trace)
  const byCount = [...counts].sort((a, b) => b[1] - a[1])
  const rows = byCount.map(([name, n]) => [name, number(n), number(Math.round(n / duration))])
  const latency = pairs.map(({ name }, i) => {
    const at = (part) => micros(percentile(took[i], part))
    return [name, number(took[i].length), at(0.5), at(0.99), at(1)]
  })
  const lines = [
    `${number(total)} events from ${processes.size} processes in ${duration.toFixed(1)} s, ${number(lost)} lost, ` +
      `${((await bytesOf(trace)) / total).toFixed(1)} bytes an event on disk`,
    '',
    table([['tracepoint', 'events', 'a second'], ...rows]),
    '',
    table([['latency', 'pairs', 'p50', 'p99', 'max'], ...latency]),
    '',
  ]
  if (babeltrace) {
    const printed = await countByBabeltrace(trace)
    if (printed !== total) throw new Error(`babeltrace2 prints ${printed} events, our reader ${total}`)
    lines.push(`babeltrace2 prints ${number(printed)} events too.`, '')
  }
  lines.push(
    'To look further:',
    ...(babeltrace ? [`  babeltrace2 ${path} | less`] : []),
    `  npx blkin view ${path} -e 'blockstore:re*' | less`,
    `  npx blkin view ${path} --json -e 'objstore:*' --since +2s --until +2.1s`,
  )
  process.stdout.write(`${lines.join('\n')}\n`)
}
