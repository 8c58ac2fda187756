import { performance } from 'node:perf_hooks'

/** How often the load is looked at. */
const SAMPLE_MS = 250
/** A loop that is busy for more than this share of a sample has no time to spare; below the second one it has again. */
const PRESSED_ABOVE = 0.75
const EASED_BELOW = 0.5
/** Uploads this recent still count: between two files of a card nothing is in flight for a moment. */
const LINGER_SAMPLES = 4
/** Also under pressure previews get one sample of so many, so that the screen shows something of a long upload. */
const SHARE_UNDER_PRESSURE = 20

export interface PreviewPaceOptions {
  /** Uploads being received now. */
  inFlightBodies: () => number
  /** Called when previews may have more processors than before. */
  onMore: () => void
  /** Share of the time since the last call that the event loop was busy, 0 to 1. */
  utilization?: () => number
}

/**
 * Says how many processors previews may use beside uploads. Controllers come first, since their files are safe only here; but
 * a radio link leaves most of a processor idle, and then the previews keep up with the upload.
 */
export class PreviewPace {
  readonly #options: PreviewPaceOptions
  readonly #utilization: () => number
  #timer: NodeJS.Timeout | undefined
  #sample = 0
  #uploadSample = Number.NEGATIVE_INFINITY
  #pressedSample: number | null = null
  #easedWaiters: (() => void)[] = []

  constructor(options: PreviewPaceOptions) {
    this.#options = options
    this.#utilization = options.utilization ?? loopUtilization()
  }

  start(): void {
    this.#timer = setInterval(() => this.#look(), SAMPLE_MS)
    this.#timer.unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#pressedSample = null
    this.#letOn()
  }

  /** Preview jobs that may run at once now. */
  processors(): 0 | 1 | 2 {
    if (this.#pressedSample !== null)
      return (this.#sample - this.#pressedSample) % SHARE_UNDER_PRESSURE === SHARE_UNDER_PRESSURE - 1 ? 1 : 0
    return this.#isUploading() ? 1 : 2
  }

  /** Films that may be begun now. */
  films(): 0 | 1 {
    return this.#pressedSample === null ? 1 : 0
  }

  /** Resolves when uploads no longer fill the loop; at once when they do not. */
  whenEased(): Promise<void> {
    if (this.#pressedSample === null) return Promise.resolve()
    return new Promise((resolve) => this.#easedWaiters.push(resolve))
  }

  #letOn(): void {
    for (const resolve of this.#easedWaiters.splice(0)) resolve()
  }

  #isUploading(): boolean {
    return this.#options.inFlightBodies() > 0 || this.#sample - this.#uploadSample < LINGER_SAMPLES
  }

  #look(): void {
    const before = this.processors()
    const load = this.#utilization()
    this.#sample++
    if (this.#options.inFlightBodies() > 0) this.#uploadSample = this.#sample
    if (!this.#isUploading() || load < EASED_BELOW) this.#pressedSample = null
    else if (load > PRESSED_ABOVE) this.#pressedSample ??= this.#sample
    if (this.#pressedSample === null) this.#letOn()
    if (this.processors() > before) this.#options.onMore()
  }
}

function loopUtilization(): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const now = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(now, last)
    last = now
    return utilization
  }
}
