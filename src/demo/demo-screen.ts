import type { ControllerEvent } from './pilot-controller.ts'

type Lane = { uploaded: number; skipped: number; failed: number; current: string }

const REDRAW_MS = 80

/** Shows a day in a terminal: scenes as lines of text, and below them one line that tells how far each controller is. */
export class DemoScreen {
  readonly #out: NodeJS.WriteStream
  readonly #lanes = new Map<string, Lane>()
  #drawnAtMs = 0
  #lineIsOpen = false

  constructor(out: NodeJS.WriteStream) {
    this.#out = out
  }

  /** Writes a line of its own. */
  say(text: string): void {
    this.clear()
    this.#out.write(`${text}\n`)
  }

  /** Takes up what happened at a controller. Failures and cuts get a line of their own. */
  show(controller: string, event: ControllerEvent): void {
    const lane = this.#lanes.get(controller) ?? { uploaded: 0, skipped: 0, failed: 0, current: '' }
    this.#lanes.set(controller, lane)
    if (event.type === 'failed') this.say(`${controller}: ${event.file.name} failed: ${event.reason}`)
    if (event.type === 'cut') this.say(`${controller}: ${event.file.name} was cut off`)
    if (event.type === 'uploaded' || event.type === 'skipped' || event.type === 'failed') lane[event.type]++
    if (event.type === 'sent') lane.current = `${event.file.name} ${percent(event.sentBytes, event.file.sizeBytes)}`
    else if (event.type !== 'started') lane.current = ''
    if (this.#out.isTTY) this.#draw()
  }

  /** Ends the progress line. */
  clear(): void {
    if (this.#lineIsOpen) this.#out.write('\r\x1b[K')
    this.#lineIsOpen = false
  }

  #draw(): void {
    const nowMs = performance.now()
    if (nowMs - this.#drawnAtMs < REDRAW_MS) return
    this.#drawnAtMs = nowMs
    const parts = [...this.#lanes].map(
      ([name, lane]) => `${name}: ${lane.uploaded} uploaded, ${lane.skipped} known ${lane.current}`
    )
    this.#out.write(`\r${parts.join('  |  ').slice(0, (this.#out.columns || 80) - 1)}\x1b[K`)
    this.#lineIsOpen = true
  }
}

const percent = (part: number, whole: number) => `${Math.floor((100 * part) / Math.max(1, whole))} %`
