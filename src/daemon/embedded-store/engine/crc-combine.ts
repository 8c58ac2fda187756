/** Width in bits and reflected polynomial of each CRC that can be combined from the CRCs of consecutive pieces. */
const CRCS = {
  CRC32: { width: 32n, polynomial: 0xedb88320n },
  CRC32C: { width: 32n, polynomial: 0x82f63b78n },
  CRC64NVME: { width: 64n, polynomial: 0x9a6c9329ac4bc9b5n }
} as const

export type CombinableCrc = keyof typeof CRCS

/**
 * The CRC of consecutive pieces joined, from the CRCs of the pieces, without reading a byte again. Appending n bytes to
 * a piece multiplies its CRC by x^8n in GF(2)[x] modulo the polynomial; the next piece's CRC is then added (xor).
 * @param pieces base64 of the big-endian CRC and the length of each piece, in order
 * @returns base64 of the big-endian CRC of the whole
 */
export function combineCrcs(algorithm: CombinableCrc, pieces: readonly { crc: string; sizeBytes: number }[]): string {
  const { width } = CRCS[algorithm]
  // Parts of one upload nearly all have the same size, so the costly power is computed once or twice.
  const shifts = new Map<number, bigint>()
  let whole = 0n
  for (const { crc, sizeBytes } of pieces) {
    const shift = shifts.get(sizeBytes) ?? powerOfX(algorithm, 8n * BigInt(sizeBytes))
    shifts.set(sizeBytes, shift)
    whole = multiply(algorithm, whole, shift) ^ BigInt(`0x${Buffer.from(crc, 'base64').toString('hex')}`)
  }
  return Buffer.from(whole.toString(16).padStart(Number(width) / 4, '0'), 'hex').toString('base64')
}

/** x^exponent modulo the polynomial, by repeated squaring. Bits are reflected: x^0 is the highest bit. */
function powerOfX(algorithm: CombinableCrc, exponent: bigint): bigint {
  const one = 1n << (CRCS[algorithm].width - 1n)
  let result = one
  let square = one >> 1n
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if ((rest & 1n) === 1n) result = multiply(algorithm, result, square)
    square = multiply(algorithm, square, square)
  }
  return result
}

function multiply(algorithm: CombinableCrc, a: bigint, b: bigint): bigint {
  const { width, polynomial } = CRCS[algorithm]
  let product = 0n
  let shifted = b
  for (let bit = 1n << (width - 1n); bit > 0n; bit >>= 1n) {
    if ((a & bit) !== 0n) product ^= shifted
    shifted = (shifted & 1n) === 1n ? (shifted >> 1n) ^ polynomial : shifted >> 1n
  }
  return product
}
