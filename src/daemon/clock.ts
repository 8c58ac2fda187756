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

/** The local calendar day of an instant, `YYYY-MM-DD`. */
export function localDay(epochMs: number): string {
  const date = new Date(epochMs)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}
