import { useQuery } from '@tanstack/react-query'
import { statusQuery } from './status-query.ts'

const dayMs = 86_400_000
/** From here on it is pointed out. */
const soonDays = 3

/** How many days what went to the bin at `binnedAt` stays there, a begun one included; 0 when its time is over. */
export function daysLeftInBin(binnedAt: string, binDays: number, nowMs: number): number {
  const inBinDays = Math.max(0, nowMs - Date.parse(binnedAt)) / dayMs
  return Math.max(0, Math.ceil(binDays - inBinDays))
}

/** When what went to the bin at `binnedAt` is deleted for good. */
export function binnedUntil(binnedAt: string, binDays: number): string {
  return new Date(Date.parse(binnedAt) + binDays * dayMs).toISOString()
}

export function isGoneSoon(daysLeft: number): boolean {
  return daysLeft <= soonDays
}

/** How long assets stay in the bin; null until the daemon has told. */
export function useBinDays(): number | null {
  return useQuery(statusQuery).data?.retention.binDays ?? null
}
