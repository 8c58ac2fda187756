/** How fast bytes flow, over the last few seconds. */
export interface Speed {
  /** Notes that so many more bytes were sent. */
  add(sizeBytes: number, nowMs: number): void
  /** Bytes per second; null when none were sent lately. */
  at(nowMs: number): number | null
}

const windowMs = 6000
const sliceMs = 250
/** So soon after the first bytes, a speed would be a guess. */
const leastSpanMs = 1000

export function createSpeed(): Speed {
  let slices: { atMs: number; sizeBytes: number }[] = []
  return {
    add(sizeBytes, nowMs) {
      const last = slices.at(-1)
      if (last && nowMs - last.atMs < sliceMs) last.sizeBytes += sizeBytes
      else slices.push({ atMs: nowMs, sizeBytes })
    },
    at(nowMs) {
      slices = slices.filter(({ atMs }) => nowMs - atMs < windowMs)
      const first = slices[0]
      if (!first) return null
      const sum = slices.reduce((total, slice) => total + slice.sizeBytes, 0)
      return (sum * 1000) / Math.max(leastSpanMs, nowMs - first.atMs)
    }
  }
}
