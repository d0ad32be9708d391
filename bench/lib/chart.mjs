// bench/lib/chart.mjs: bench/results.json as two pictures, in SVG.
import { box, line, picture, text } from '../../dist/cli/overhead/svg.js'
import { counts, programForms } from './programs.mjs'
import { rows } from './rows.mjs'

const colours = { transformed: '#1b7837', guarded: '#2166ac', plain: '#b2182b' }

/** A panel a Node: the job's time by how many tracepoints it has; solid where they were never on, dashed where they were. */
function programsChart({ nodes }) {
  const [panel, plot, left, top, height] = [210, 160, 42, 54, 220]
  const values = nodes.flatMap(({ programs }) => programs.filter(({ shape }) => shape === 'one'))
  const highest = Math.ceil(Math.max(1.2, ...values.map(({ median }) => median)) * 5) / 5
  const lowest = Math.min(0.98, ...values.map(({ median }) => median))
  const yOf = (value) => top + height - (height * (value - lowest)) / (highest - lowest)
  const xOf = (at, count) => left + at * panel + (plot * counts.indexOf(count)) / (counts.length - 1)
  const parts = [text(left, 20, 'The time of a job with tracepoints that are off, to the job without')]
  Object.entries(programForms).forEach(([form, says], i) => {
    parts.push(line(left + i * 140, 36, left + i * 140 + 20, 36, colours[form], 'stroke-width="2"'))
    parts.push(text(left + i * 140 + 25, 40, says))
  })
  parts.push(text(left + 440, 40, 'dashed: on before'))
  nodes.forEach(({ line: node, programs }, at) => {
    for (let value = 1; value <= highest + 0.001; value += highest > 1.6 ? 0.2 : 0.1) {
      parts.push(line(xOf(at, counts[0]), yOf(value), xOf(at, counts.at(-1)), yOf(value)))
      if (at === 0) parts.push(text(left - 6, yOf(value) + 4, value.toFixed(1), 'text-anchor="end"'))
    }
    for (const count of counts)
      parts.push(text(xOf(at, count), top + height + 18, count, 'text-anchor="middle"'))
    parts.push(text(xOf(at, counts[0]) + plot / 2, top + height + 38, `Node ${node}`, 'text-anchor="middle"'))
    for (const form of Object.keys(programForms))
      for (const been of [false, true]) {
        const own = programs.filter((one) => one.shape === 'one' && one.form === form && one.been === been)
        const points = own.map(({ count, median }) => `${xOf(at, count)},${yOf(median).toFixed(1)}`)
        const dashes = been ? 'stroke-dasharray="5 3"' : ''
        parts.push(
          `<polyline points="${points.join(' ')}" fill="none" stroke="${colours[form]}" stroke-width="2" ${dashes}/>`,
        )
      }
  })
  const width = left + nodes.length * panel
  return picture(width, top + height + 50, 'What tracepoints that are off add to a job', parts)
}

const shown = {
  ...{ 'js.filtered': 'ours', 'js.ints': 'ours', 'js.text': 'ours', 'spans.span': 'ours' },
  ...{ 'js.floor': 'floor', 'lttng.ints': 'theirs', 'lttng.text': 'theirs', 'js.channelheard': 'theirs' },
  ...{
    'js.mark': 'theirs',
    'js.json': 'theirs',
    'spans.otel': 'theirs',
    'peers.pino': 'theirs',
    'peers.console': 'theirs',
  },
}
const barColours = { ours: '#1b7837', floor: '#888', theirs: '#bbb' }

/** A bar a row, by time; the axis is logarithmic. */
function eventsChart({ nodes: [{ line: node, costs }] }) {
  const [left, width, bar, top] = [370, 420, 22, 50]
  const bars = rows
    .filter(({ id }) => id in shown && id in costs)
    .map(({ id, says }) => ({ says: says.replaceAll('*', ''), whose: shown[id], ns: costs[id].median }))
    .sort((a, b) => a.ns - b.ns)
  const decades = Math.ceil(Math.log10(Math.max(...bars.map(({ ns }) => ns))))
  const lengthOf = (ns) => (width * Math.log10(Math.max(1, ns))) / decades
  const bottom = top + bars.length * bar
  const parts = [
    text(10, 20, `ns for one, Node ${node}, logarithmic: green ours, dark grey the floor, light grey others`),
  ]
  for (let decade = 0; decade <= decades; decade++) {
    const x = left + (width * decade) / decades
    parts.push(line(x, top - 6, x, bottom), text(x, top - 10, 10 ** decade, 'text-anchor="middle"'))
  }
  bars.forEach(({ says, whose, ns }, i) => {
    const y = top + i * bar
    const length = lengthOf(ns)
    parts.push(box(left, y, length, bar - 6, barColours[whose]))
    parts.push(text(left - 8, y + 12, says, 'text-anchor="end"'))
    parts.push(text(left + Number(length.toFixed(1)) + 5, y + 12, ns < 10 ? ns.toFixed(1) : ns.toFixed(0)))
  })
  return picture(left + width + 60, bottom + 10, 'What an event costs', parts)
}

/** By file name, in docs/images. */
export const chart = (result) => ({
  'benchmark-programs.svg': programsChart(result),
  'benchmark-events.svg': eventsChart(result),
})
