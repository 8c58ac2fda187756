const MIB = 1024 ** 2
const LEAST_PART_BYTES = 8 * MIB
/** S3 takes 10,000 parts. */
const MOST_PARTS = 9000

/** An upload in parts is given up this long after its last part. */
export const IDLE_MS = 2 * 24 * 3_600_000

/** How large the parts of a file of this size are; the last one has the rest. */
export function partSizeFor(sizeBytes: number): number {
  return Math.max(LEAST_PART_BYTES, Math.ceil(sizeBytes / MOST_PARTS / MIB) * MIB)
}

/** How many parts a file has; an empty one has one, which is empty. */
export function partCount(sizeBytes: number, partSizeBytes: number): number {
  return Math.max(1, Math.ceil(sizeBytes / partSizeBytes))
}

/** The size of part `number` (from 1); null when there is no such part. */
export function sizeOfPart(sizeBytes: number, partSizeBytes: number, number: number): number | null {
  const count = partCount(sizeBytes, partSizeBytes)
  if (number < 1 || number > count) return null
  return number < count ? partSizeBytes : sizeBytes - (count - 1) * partSizeBytes
}
