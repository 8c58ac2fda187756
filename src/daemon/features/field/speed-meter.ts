const WINDOW_MS = 3000

/** Bytes per second over the last three seconds. */
export class SpeedMeter {
  #samples: { atMs: number; bytes: number }[] = []

  add(bytes: number, nowMs: number): void {
    if (bytes > 0) this.#samples.push({ atMs: nowMs, bytes })
    this.#drop(nowMs)
  }

  bytesPerSecond(nowMs: number): number {
    this.#drop(nowMs)
    const first = this.#samples[0]
    if (!first) return 0
    const bytes = this.#samples.reduce((sum, sample) => sum + sample.bytes, 0)
    // What a sample counts arrived before it, so even a single one covers some time.
    const coveredMs = Math.min(WINDOW_MS, Math.max(nowMs - first.atMs, 0) + 250)
    return Math.round((bytes / coveredMs) * 1000)
  }

  #drop(nowMs: number): void {
    while (this.#samples[0] && this.#samples[0].atMs < nowMs - WINDOW_MS) this.#samples.shift()
  }
}
