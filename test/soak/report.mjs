// test/soak/report.mjs: what a soak found, as Markdown, and what was wrong. Pure.
import { table, whole } from '../../bench/lib/markdown.mjs'
import { measures } from './flatness.mjs'

const amount = (measure, value) =>
  measures[measure].unit === 'MiB' ? `${(value / 2 ** 20).toFixed(1)} MiB` : whole(value)

/** @returns a line for each thing that is not as it should be */
export function faultsIn({ measured, done, ended, totals }) {
  return [
    ...measured
      .filter(({ isFlat }) => !isFlat)
      .map(
        ({ of, measure, before, after, bound }) =>
          `${of}: ${measure} grew from ${amount(measure, before)} to ${amount(measure, after)}; expected ${amount(measure, bound)} at most`,
      ),
    ...Object.entries(done)
      .filter(([, times]) => times === 0)
      .map(([name]) => `the run was too short: never ${name}`),
    ...['exit', 'kill', 'throw', 'natural', 'killed', 'terminated']
      .filter((way) => !ended[way])
      .map((way) => `the run was too short: no program ended by ${way}`),
    ...(totals.lost === 0 ? ['nothing was lost: that losses are counted was not seen'] : []),
  ]
}

export function report({ date, node, machine, minutes, totals, ended, done, measured }) {
  const head = `Written by \`npm run soak\` on ${date}: ${minutes} minutes on ${machine.cpu}, ${machine.kernel}, Node ${node}.`
  const list = (counts) =>
    Object.entries(counts)
      .map(([name, times]) => `${name} ${whole(times)}`)
      .join(', ')
  return [
    head,
    '',
    table(
      ['programs', 'their sessions', 'emitted', 'recorded', 'lost, counted', 'begun when the thread died'],
      [Object.values(totals).map(whole)],
      0,
    ),
    '',
    `Programs ended by: ${list(ended)}. Done meanwhile: ${list(done)}.`,
    '',
    table(
      ['what', 'measure', 'second third', 'last third', 'bound'],
      measured.map(({ of, measure, before, after, bound, isFlat }) => [
        of,
        measure,
        amount(measure, before),
        isFlat ? amount(measure, after) : `**${amount(measure, after)}**`,
        amount(measure, bound),
      ]),
      2,
    ),
  ].join('\n')
}
