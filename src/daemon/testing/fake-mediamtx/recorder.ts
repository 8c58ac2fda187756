import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { FakeClock } from './fake-clock.ts'
import { parseDuration } from './go-values.ts'
import { type PathConf, textOf } from './path-conf.ts'
import { segmentPath } from './record-path.ts'
import { segmentBytes } from './segment-media.ts'

/** One uninterrupted recording: writes real files, cut where the duration of a segment is reached. */
export class Recorder {
  #name: string
  #conf: PathConf
  #clock: FakeClock
  #run = randomUUID()
  #number = 0
  #startUs: number

  constructor(name: string, conf: PathConf, clock: FakeClock) {
    this.#name = name
    this.#conf = conf
    this.#clock = clock
    this.#startUs = clock.nowUs()
    this.#write(partUs, true)
  }

  /** Goes on to the present. */
  tick(): void {
    const segmentUs = parseDuration(textOf(this.#conf, 'recordSegmentDuration')) / 1000
    const nowUs = this.#clock.nowUs()
    while (nowUs - this.#startUs >= segmentUs) {
      this.#rewrite(segmentUs, false)
      this.#startUs += segmentUs
      this.#number += 1
      this.#write(partUs, true)
    }
    this.#rewrite(nowUs - this.#startUs, true)
  }

  stop(): void {
    this.#rewrite(this.#clock.nowUs() - this.#startUs, false)
  }

  /** Lets the current file grow; one that was removed meanwhile stays away. */
  #rewrite(durationUs: number, isOpen: boolean): void {
    if (existsSync(this.#file)) this.#write(durationUs, isOpen)
  }

  #write(durationUs: number, isOpen: boolean): void {
    mkdirSync(dirname(this.#file), { recursive: true })
    const header = { run: this.#run, number: this.#number, startUs: this.#startUs }
    writeFileSync(this.#file, segmentBytes(header, Math.floor(Math.max(durationUs, partUs) / 1000), isOpen))
  }

  get #file(): string {
    return segmentPath(this.#conf, this.#name, { us: this.#startUs, offsetMinutes: 0 })
  }
}

/** The shortest a file gets: one part. */
const partUs = 1e6
