import type { Storage } from '../../../shared/api/storage.ts'
import { localDay, localDayBounds } from '../../clock.ts'
import type { FlightSize } from './storage.repository.ts'

/**
 * How many more flights fit into `availableBytes`, each like the middle one of today or, without any today, of `flights`. Null without
 * any: a number that nothing stands behind would be believed.
 */
export function roomFor(flights: readonly FlightSize[], availableBytes: number, nowMs: number): Storage['room'] {
  const { startMs } = localDayBounds(localDay(nowMs))
  const today = flights.filter(({ updatedAtMs }) => updatedAtMs >= startMs)
  const sizes = (today.length > 0 ? today : flights).map(wholeBytes).sort((a, b) => a - b)
  const flightBytes = sizes[Math.floor(sizes.length / 2)]
  if (flightBytes === undefined || flightBytes === 0) return null
  return {
    flights: Math.floor(availableBytes / flightBytes),
    flightBytes,
    like: today.length > 0 ? 'today' : 'latest'
  }
}

/** What a flight comes to when the files that are still on their way are like those that are here. */
function wholeBytes({ files, bytes, expectedCount }: FlightSize): number {
  return Math.round((bytes / files) * Math.max(files, expectedCount ?? 0))
}
