// lib/trace/hex.ts: ids as text and as the 32-bit words that spans are made of. Pure.

const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** Eight digits. */
export function hexOfWord(word: number): string {
  return bytes[word >>> 24]! + bytes[(word >>> 16) & 255] + bytes[(word >>> 8) & 255] + bytes[word & 255]
}

/** 16 digits. */
export function hexOf(high: number, low: number): string {
  return hexOfWord(high) + hexOfWord(low)
}

/** The word of the eight digits from `at`; of digits that were checked. */
export function wordAt(hex: string, at: number): number {
  return Number.parseInt(hex.slice(at, at + 8), 16) | 0
}
