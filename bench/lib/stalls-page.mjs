// bench/lib/stalls-page.mjs: bench/stalls.json as the parts of docs/stalls.md, and its picture. Every number comes from `result`. Pure.
import { line, picture, text } from '../../dist/cli/overhead/svg.js'
import { beginOf, callsIn, longest, quantileOf } from './histogram.mjs'
import { table, whole } from './markdown.mjs'

const parts = [
  ['p50', 0.5],
  ['p99', 0.99],
  ['p99.9', 0.999],
  ['p99.99', 0.9999],
]

function timeText(ns) {
  if (ns < 1000) return `${ns.toFixed(ns < 100 ? 1 : 0)} ns`
  return ns < 1e6 ? `${(ns / 1000).toFixed(1)} us` : `${(ns / 1e6).toFixed(2)} ms`
}

export function stallsParts(result) {
  const { cpu, kernel, load } = result.machine
  const lttng = result.lttng ? `LTTng-UST ${result.lttng}` : 'without LTTng-UST, which was not there'
  return {
    run: `Written by \`npm run bench:stalls\` on ${result.date}: ${cpu}, ${kernel}, load ${load} before, Node ${result.node}, ${lttng}; ${result.threads} threads, ${result.rounds} rounds of ${result.ms} ms each.`,
    stalls: `${table(
      ['one call', 'calls', ...parts.map(([name]) => name), 'longest'],
      result.rows.map(({ says, buckets }) => [
        says,
        whole(callsIn(buckets)),
        ...parts.map(([, part]) => timeText(quantileOf(buckets, part))),
        timeText(longest(buckets)),
      ]),
    )}\n\n![Which part of single calls took longer than that](images/stalls.svg)`,
    accounts: table(
      ['', 'emitted', 'lost'],
      result.rows
        .filter(({ id }) => !id.endsWith('.nothing'))
        .map(({ says, peer }) => [
          says,
          whole(result.accounts[peer].emitted),
          whole(result.accounts[peer].lost),
        ]),
    ),
  }
}

const colours = {
  'c.nothing': '#888', 'c.blkin': '#1b7837', 'c.lttng': '#b2182b', 'js.nothing': '#aaa', 'js.blkin': '#2166ac',
} // biome-ignore format: a list

/** How large a part of the calls took longer, by how long; both axes are logarithmic. */
export function stallsPicture({ rows }) {
  const [left, top, width, height] = [95, 105, 620, 320]
  const [leastNs, mostNs] = [
    1,
    10 ** Math.ceil(Math.log10(Math.max(...rows.map(({ buckets }) => longest(buckets))))),
  ]
  const least = 10 ** Math.floor(-Math.log10(Math.max(...rows.map(({ buckets }) => callsIn(buckets)))))
  const xOf = (ns) =>
    left + (width * Math.log10(Math.max(ns, leastNs) / leastNs)) / Math.log10(mostNs / leastNs)
  const yOf = (part) => top + (height * Math.log10(Math.max(part, least))) / Math.log10(least)
  const drawn = [
    text(
      left,
      20,
      'Which part of single calls took longer than that, under full load; both axes logarithmic',
    ),
  ]
  rows.forEach(({ id, says }, i) => {
    const [x, y] = [left + (i % 2) * 310, 38 + Math.floor(i / 2) * 20]
    drawn.push(
      line(
        x,
        y,
        x + 20,
        y,
        colours[id],
        `stroke-width="2"${id.startsWith('js') ? ' stroke-dasharray="5 3"' : ''}`,
      ),
    )
    drawn.push(text(x + 25, y + 4, says.replaceAll('*', '')))
  })
  for (let ns = leastNs; ns <= mostNs; ns *= 10) {
    drawn.push(line(xOf(ns), top, xOf(ns), top + height))
    drawn.push(text(xOf(ns), top + height + 18, timeText(ns).replace(/\.0+ /, ' '), 'text-anchor="middle"'))
  }
  for (let part = 1; part >= least * 0.99; part /= 10) {
    drawn.push(line(left, yOf(part), left + width, yOf(part)))
    const says = part > 0.5 ? 'all' : `1 in ${whole(1 / part)}`
    drawn.push(text(left - 6, yOf(part) + 4, says, 'text-anchor="end"'))
  }
  for (const { id, buckets } of rows) {
    const dashes = id.startsWith('js') ? 'stroke-dasharray="5 3"' : ''
    drawn.push(
      `<polyline points="${curve(buckets, xOf, yOf)}" fill="none" stroke="${colours[id]}" stroke-width="2" ${dashes}/>`,
    )
  }
  return picture(left + width + 30, top + height + 40, 'Stalls: single calls under full load', drawn)
}

/** Steps: what has not ended when a bucket begins takes at least as long. */
function curve(buckets, xOf, yOf) {
  const all = callsIn(buckets)
  let left = all
  const points = []
  for (const [bucket, count] of buckets) {
    const x = xOf(beginOf(bucket)).toFixed(1)
    points.push(`${x},${yOf(left / all).toFixed(1)}`)
    left -= count
    if (left > 0) points.push(`${x},${yOf(left / all).toFixed(1)}`)
  }
  return points.join(' ')
}
