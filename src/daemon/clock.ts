/** The time, replaceable in tests. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number
}

export const systemClock: Clock = { nowMs: () => Date.now() }

/** ISO 8601 in UTC of epoch milliseconds. */
export function isoFromMs(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

/** What a clock shows at an instant, `YYYY-MM-DDTHH:mm:ss`: `offsetMin` minutes east of UTC, or (null) in the zone of this machine. */
export function wallClockAt(epochMs: number, offsetMin: number | null): string {
  const eastMin = offsetMin ?? -new Date(epochMs).getTimezoneOffset()
  return new Date(epochMs + eastMin * 60_000).toISOString().slice(0, 19)
}

/** When a local calendar day, `YYYY-MM-DD`, begins, and the next one does; 23 or 25 hours later where clocks are changed. */
export function localDayBounds(day: string): { startMs: number; endMs: number } {
  const [year = 0, month = 1, date = 1] = day.split('-').map(Number)
  return { startMs: new Date(year, month - 1, date).getTime(), endMs: new Date(year, month - 1, date + 1).getTime() }
}

/** The local calendar day of an instant, `YYYY-MM-DD`. */
export function localDay(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}
