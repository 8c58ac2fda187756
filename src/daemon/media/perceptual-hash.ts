import sharp from 'sharp'

/** 64 bits as two unsigned halves. */
export interface PerceptualHash {
  high: number
  low: number
}

/** The side of the small grey picture that is looked at, and of its block of low frequencies that is kept. */
const SIDE = 32
const KEPT = 8
/** Below this no frequency is more than noise and rounding: a picture of one colour. */
const FAINTEST = 24

/** `COSINES[k][n]`: the base functions of the discrete cosine transform (DCT-II). */
const COSINES = Array.from({ length: KEPT + 1 }, (_, k) =>
  Float64Array.from({ length: SIDE }, (_, n) => Math.cos((Math.PI / SIDE) * (n + 0.5) * k))
)

/**
 * 64 bits that hardly change when a picture is scaled, recompressed or made brighter: of the 64 lowest frequencies beside
 * the average (DCT of a 32 × 32 grey picture), which are above their median. The idea is Christoph Zauner's, "Implementation
 * and Benchmarking of Perceptual Image Hash Functions" (2010), §3.2. Null for a picture that shows nothing. Raises what
 * sharp raises for bytes that are no picture.
 */
export async function perceptualHash(input: Buffer): Promise<PerceptualHash | null> {
  const grey = await sharp(input)
    .flatten({ background: '#808080' })
    .greyscale()
    .resize(SIDE, SIDE, { fit: 'fill', kernel: 'cubic' })
    .raw()
    .toBuffer()
  const frequencies = lowFrequencies(grey)
  if (Math.max(...frequencies.map(Math.abs)) < FAINTEST) return null
  const sorted = [...frequencies].sort((a, b) => a - b)
  const median = ((sorted[31] ?? 0) + (sorted[32] ?? 0)) / 2
  const bitsOf = (half: number[]) => half.reduce((bits, value) => (bits << 1) | (value > median ? 1 : 0), 0) >>> 0
  return { high: bitsOf(frequencies.slice(0, 32)), low: bitsOf(frequencies.slice(32)) }
}

/** Frequencies 1 to 8 in both directions. */
function lowFrequencies(grey: Uint8Array): number[] {
  const columns = Array.from({ length: SIDE }, (_, y) =>
    COSINES.slice(1).map((cosine) => cosine.reduce((sum, factor, x) => sum + factor * (grey[y * SIDE + x] ?? 0), 0))
  )
  return COSINES.slice(1).flatMap((cosine) =>
    Array.from({ length: KEPT }, (_, k) => cosine.reduce((sum, factor, y) => sum + factor * (columns[y]?.[k] ?? 0), 0))
  )
}

/** In how many bits two hashes differ, 0 to 64: up to about 10 for the same picture, around 32 for different ones. */
export function hammingDistance(a: PerceptualHash, b: PerceptualHash): number {
  return bitCount(a.high ^ b.high) + bitCount(a.low ^ b.low)
}

/** How many of 32 bits are set: counted in pairs, fours and bytes at once. */
export function bitCount(bits: number): number {
  const pairs = bits - ((bits >>> 1) & 0x55555555)
  const fours = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333)
  return Math.imul((fours + (fours >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}
