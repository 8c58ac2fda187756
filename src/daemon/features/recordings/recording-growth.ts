import type { Clock } from '../../clock.ts'
import { US_PER_MS } from './instants.ts'
import type { SegmentRow } from './segments.repository.ts'

/** A part is written every second, and looked for every five. */
const GROWS_WITHIN_MS = 15_000
/** What nobody has looked at for so long is not known any more. */
const KNOWN_FOR_MS = 30_000
/** The first picture that is kept may be a little older than the stream is said to be. */
const START_TOLERANCE_MS = 10_000

/** The file of a stream that is written now, as it was last seen. */
type OpenFile = Pick<SegmentRow, 'startUs' | 'durationMs' | 'sizeBytes'>

interface Seen {
  file: OpenFile | null
  firstLookMs: number
  lookMs: number
  grewMs: number | null
}

/** Whether streams are recorded in truth: told by files that grow from one look to the next, nothing else. */
export class RecordingGrowth {
  readonly #clock: Clock
  readonly #seen = new Map<string, Seen>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  /** Notes a look at what is written of a source; null where nothing is. */
  note(sourceId: string, file: OpenFile | null): void {
    const lookMs = this.#clock.nowMs()
    const before = this.#seen.get(sourceId)
    const grew = before !== undefined && hasGrown(before.file, file)
    const grewMs = grew ? lookMs : (before?.grewMs ?? null)
    this.#seen.set(sourceId, { file, firstLookMs: before?.firstLookMs ?? lookMs, lookMs, grewMs })
  }

  /** Forgets a source that is gone. */
  forget(sourceId: string): void {
    this.#seen.delete(sourceId)
  }

  /** Whether what has been sent since `availableTime` (RFC 3339; null: unknown) is being written. */
  isGrowing(sourceId: string, availableTime: string | null): boolean {
    const seen = this.#seen.get(sourceId)
    if (!seen?.file || seen.grewMs === null) return false
    const sinceMs = availableTime === null ? Number.NaN : Date.parse(availableTime)
    if (seen.file.startUs / US_PER_MS < sinceMs - START_TOLERANCE_MS) return false
    return seen.lookMs - seen.grewMs <= GROWS_WITHIN_MS && this.#clock.nowMs() - seen.lookMs <= KNOWN_FOR_MS
  }

  /** Whether it may still be about to begin, after the latest of these instants (epoch milliseconds) and the first look at it. */
  isBeginning(sourceId: string, ...sinceMs: number[]): boolean {
    const nowMs = this.#clock.nowMs()
    const seen = this.#seen.get(sourceId)
    // Of an instant in the future nothing follows: another machine's clock.
    const past = [...sinceMs, seen?.firstLookMs ?? nowMs].filter((ms) => ms <= nowMs)
    return nowMs - Math.max(...past) <= GROWS_WITHIN_MS
  }
}

/** Only what has a whole part counts: a disk that is full still takes the names of files. */
function hasGrown(before: OpenFile | null, now: OpenFile | null): boolean {
  if (!now || now.durationMs === null || now.durationMs === 0) return false
  return (
    before === null ||
    before.startUs !== now.startUs ||
    before.durationMs !== now.durationMs ||
    before.sizeBytes !== now.sizeBytes
  )
}
