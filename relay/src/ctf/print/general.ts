// relay/src/ctf/print/general.ts: a number as C's printf writes it with %g, which is how babeltrace2 writes floats.
// text.ts calls it. Pure. A NaN is "nan": JavaScript does not keep the sign of one.

export function general(value: number): string {
  if (Number.isInteger(value) && value > -1e6 && value < 1e6)
    return Object.is(value, -0) ? '-0' : String(value)
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const [digits, exponentText] = sixDigits(value).split('e') as [string, string]
  const exponent = Number(exponentText)
  if (exponent >= -4 && exponent < 6) return trim(Number(`${digits}e${exponent}`).toFixed(5 - exponent))
  const sign = exponent < 0 ? '-' : '+'
  return `${trim(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`
}

/** To six digits. C rounds a value that lies exactly between two to the even one; JavaScript rounds it up. */
function sixDigits(value: number): string {
  const rounded = value.toExponential(5)
  const exact = value.toExponential(60)
  const dot = exact.indexOf('.')
  const tail = exact.slice(dot + 6, exact.indexOf('e'))
  if (tail[0] !== '5' || /[^0]/.test(tail.slice(1))) return rounded
  const even = Number(exact[dot + 5]) % 2 === 0
  return even ? exact.slice(0, dot + 6) + exact.slice(exact.indexOf('e')) : rounded
}

const trim = (digits: string): string => (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits)
