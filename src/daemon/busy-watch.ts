import type { Clock } from './clock.ts'

const CHECK_MS = 500
/** Between two files of a card nothing is in flight for a moment; that is not the end of the work. */
const LINGER_MS = 5000

/** Tells whether work is in flight: what keeps a laptop awake. */
export class BusyWatch {
  readonly #isBusy: () => boolean
  readonly #clock: Clock
  #timer: NodeJS.Timeout | undefined

  constructor(deps: { isBusy: () => boolean; clock: Clock }) {
    this.#isBusy = deps.isBusy
    this.#clock = deps.clock
  }

  /** Tells at once and then at every change. */
  onChange(listener: (busy: boolean) => void): void {
    let told = this.#isBusy()
    let busyAtMs = told ? this.#clock.nowMs() : Number.NEGATIVE_INFINITY
    listener(told)
    this.#timer = setInterval(() => {
      const nowMs = this.#clock.nowMs()
      if (this.#isBusy()) busyAtMs = nowMs
      const busy = nowMs - busyAtMs < LINGER_MS
      if (busy === told) return
      told = busy
      listener(busy)
    }, CHECK_MS).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
