// bench/lib/markdown.mjs: numbers and tables as the pages have them. Pure.

export const ns = (value) => (Math.abs(value) < 100 ? value.toFixed(1) : whole(value))
export const ratio = (value) => value.toFixed(value < 0.1 ? 3 : 2)
export const millions = (perSecond) => (perSecond / 1e6).toFixed(1)
export const whole = (value) => Math.round(value).toLocaleString('en-US')
export const range = ({ p25, p75 }, form) => `${form(p25)} - ${form(p75)}`
export const verdict = (met) => (met === undefined ? '' : met ? 'met' : '**missed**')
/** A value that missed its target stands out. */
export const judged = (text, met) => (met === false ? `**${text}**` : text)

export function table(head, body, left = 1) {
  const align = head.map((_, i) => (i < left ? '---' : '---:'))
  return [head, align, ...body].map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
