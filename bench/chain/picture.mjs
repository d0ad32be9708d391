// bench/chain/picture.mjs: bench/chain-results.json as a picture a workload: each state's ratio, with its interval, its target and BlkKin's.
import { line, picture, text } from '../../dist/cli/overhead/svg.js'
import { baseOf, states, targets, theirRatio, workloads } from './states.mjs'

const colours = ['#1b7837', '#2166ac']
const [left, width, bar, gap, top] = [230, 480, 13, 14, 64]

function workloadPicture({ parts }, { id: workload, says }) {
  const names = Object.keys(parts).filter((name) => name.startsWith('nbd-') && parts[name].rows)
  const rowOf = (name, state) =>
    parts[name].rows.find((row) => row.workload === workload && row.state === state)
  const shown = states.filter(({ id }) => names.some((name) => rowOf(name, id)?.ratio))
  const most = Math.max(
    1.1,
    ...names.flatMap((name) => shown.map(({ id }) => rowOf(name, id).ratio.interval[1])),
  )
  const xOf = (value) => (left + (width * value) / most).toFixed(1)
  const height = names.length * bar + gap
  const bottom = top + shown.length * height
  const out = [text(10, 20, `${says}: writes a second to tracing off, and of off to no tracing code`)]
  names.forEach((name, i) => {
    out.push(`<rect x="${10 + i * 90}" y="31" width="12" height="12" fill="${colours[i]}"/>`)
    out.push(text(27 + i * 90, 41, `Node ${name.split('-')[1]}`))
  })
  out.push(line(205, 30, 205, 44, '#b2182b', 'stroke-width="2"'), text(212, 41, 'target'))
  out.push(diamond(275, 37), text(284, 41, "BlkKin's thesis, on its chain"))
  for (let value = 0; value <= most; value += 0.2) {
    out.push(line(xOf(value), top - 4, xOf(value), bottom))
    out.push(text(xOf(value), bottom + 16, value.toFixed(1), 'text-anchor="middle"'))
  }
  shown.forEach((state, i) => {
    const y = top + i * height
    const middle = y + (names.length * bar) / 2
    const base = baseOf(state) === 'none' ? ', to none' : ''
    out.push(text(left - 8, middle + 4, `${state.says}${base}`, 'text-anchor="end"'))
    names.forEach((name, j) => {
      const { median, interval } = rowOf(name, state.id).ratio
      const at = y + j * bar
      const long = (Number(xOf(median)) - left).toFixed(1)
      out.push(`<rect x="${left}" y="${at}" width="${long}" height="${bar - 2}" fill="${colours[j]}"/>`)
      const between = at + (bar - 2) / 2
      out.push(line(xOf(interval[0]), between, xOf(interval[1]), between, '#222'))
      out.push(text(left + width + 8, at + 10, median.toFixed(2)))
    })
    const target = targets[state.id]
    if (target)
      out.push(
        line(xOf(target), y - 3, xOf(target), y + names.length * bar + 1, '#b2182b', 'stroke-width="2"'),
      )
    const theirs = theirRatio(workload, state)
    if (theirs) out.push(diamond(xOf(theirs), middle))
  })
  return picture(left + width + 50, bottom + 26, `What tracing costs ${says}`, out)
}

const diamond = (x, y) => `<path d="M${x} ${y - 6} l6 6 l-6 6 l-6 -6 z" fill="#f4a582" stroke="#222"/>`

/** By file name, in docs/images. */
export const pictures = (result) =>
  Object.fromEntries(
    workloads.map((workload) => [`chain-${workload.id}.svg`, workloadPicture(result, workload)]),
  )
