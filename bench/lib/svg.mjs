// bench/lib/svg.mjs: pieces of pictures, by hand: nothing to install, and a diff that can be read. Pure.

const font = 'font-family="system-ui, sans-serif" font-size="12" fill="#222"'

export const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${font} ${more}>${words}</text>`
export const line = (x1, y1, x2, y2, stroke = '#ccc', more = '') =>
  `<line x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}" stroke="${stroke}" ${more}/>`

export const picture = (width, height, title, parts) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${title}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`
