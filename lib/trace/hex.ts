// lib/trace/hex.ts: ids as text and as the 32-bit words that spans are made of. Pure.

const digits = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))

/** 16 digits. */
export function hexOf(high: number, low: number): string {
  return String.fromCharCode(
    digits[high >>> 28]!,
    digits[(high >>> 24) & 15]!,
    digits[(high >>> 20) & 15]!,
    digits[(high >>> 16) & 15]!,
    digits[(high >>> 12) & 15]!,
    digits[(high >>> 8) & 15]!,
    digits[(high >>> 4) & 15]!,
    digits[high & 15]!,
    digits[low >>> 28]!,
    digits[(low >>> 24) & 15]!,
    digits[(low >>> 20) & 15]!,
    digits[(low >>> 16) & 15]!,
    digits[(low >>> 12) & 15]!,
    digits[(low >>> 8) & 15]!,
    digits[(low >>> 4) & 15]!,
    digits[low & 15]!,
  )
}

/** The word of the eight digits from `at`; of lower-case digits that were checked. */
export function wordAt(hex: string, at: number): number {
  let word = 0
  for (let i = at; i < at + 8; i++) {
    const code = hex.charCodeAt(i)
    word = (word << 4) | (code < 58 ? code - 48 : code - 87)
  }
  return word
}
