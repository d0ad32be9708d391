// lib/cli/overhead/svg.ts: pictures by hand: nothing to install, and a diff that can be read. The benchmark draws with these too
// (bench/lib/chart.mjs). Pure.

const font = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'

const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')

export const text = (x: number, y: number, words: string | number, more = ''): string =>
  `<text x="${x}" y="${y}" ${font} ${more}>${escaped(String(words))}</text>`

export const line = (x1: number, y1: number, x2: number, y2: number, stroke = '#ccc', more = ''): string =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" ${more}/>`

export const box = (x: number, y: number, width: number, height: number, fill: string): string =>
  `<rect x="${x}" y="${y}" width="${width.toFixed(1)}" height="${height}" fill="${fill}"/>`

export const picture = (width: number, height: number, title: string, parts: readonly string[]): string =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`
