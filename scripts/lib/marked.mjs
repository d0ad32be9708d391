// scripts/lib/marked.mjs: pages of which a part is made by a program: it stands between `<!-- NAME -->` and `<!-- / -->`. Pure.

/**
 * @param {string} page what errors call it
 * @param {string} text
 * @param {Record<string, string>} parts by name
 */
export function withMarked(page, text, parts) {
  let out = text
  for (const [name, made] of Object.entries(parts)) {
    const mark = new RegExp(`(<!-- ${name} -->\n)[^]*?(<!-- / -->)`)
    if (!mark.test(out)) throw new Error(`${page}: no place for ${name}; expected <!-- ${name} -->`)
    out = out.replace(mark, (_, begin, end) => `${begin}${made}\n${end}`)
  }
  return out
}
