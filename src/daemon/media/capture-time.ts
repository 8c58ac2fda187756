/** When something was taken. */
export type CaptureTime = {
  /** The instant; a guess by the assumed zone when `zoneKnown` is false. */
  epochMs: number
  /** Minutes east of UTC, null when unknown. */
  offsetMinutes: number | null
  zoneKnown: boolean
  /** Wall clock where it was taken, `YYYY-MM-DDTHH:mm:ss`. */
  local: string
}

/** A wall clock reading without a zone, with its milliseconds. */
export type WallClock = { local: string; milliseconds: number }

const SHAPE =
  /^(\d{4})[-/:](\d{1,2})[-/:](\d{1,2})(?:[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?\s*(Z|[+-]\d{2}:?\d{2}|[+-]\d{2})?)?$/i

/**
 * Parses the `created_time` of Pilot's upload callback: ISO 8601 with a zone, also `Z`, a blank instead of `T`, no zone
 * (taken as `assumedOffsetMinutes` and flagged), or the digits of an epoch in seconds or milliseconds. Null for
 * everything else.
 */
export function parseCreatedTime(value: unknown, assumedOffsetMinutes?: number): CaptureTime | null {
  const text = typeof value === 'number' ? String(value) : typeof value === 'string' ? value.trim() : ''
  if (/^\d{9,11}$/.test(text)) return captureTimeAt(Number(text) * 1000, 0)
  if (/^\d{12,13}$/.test(text)) return captureTimeAt(Number(text), 0)
  const parts = SHAPE.exec(text)
  if (!parts) return parseCompact(text, assumedOffsetMinutes)
  const clock = wallClock(parts.slice(1, 7).map((part) => Number(part ?? 0)))
  if (!clock) return null
  clock.milliseconds = Math.floor(Number(`0.${parts[7] ?? 0}`) * 1000)
  const offset = parseOffset(parts[8])
  return parts[8] && offset === null ? null : withOffset(clock, offset, assumedOffsetMinutes)
}

/**
 * The capture time in the name of a DJI file, `DJI_<14 digits of local time>_<counter>…`: only the leading part counts,
 * because anything may follow. Null when the name has none.
 */
export function captureTimeOfName(name: string, assumedOffsetMinutes?: number): CaptureTime | null {
  const digits = /^DJI_(\d{14})(?!\d)/i.exec(name)?.[1]
  return digits ? parseCompact(digits, assumedOffsetMinutes) : null
}

/** Parses EXIF's `YYYY:MM:DD HH:MM:SS` with its sub-second digits. Null when it is no time. */
export function parseExifTime(text: string | null, subSeconds: string | null): WallClock | null {
  const parts = /^(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)/.exec(text?.trim() ?? '')
  const clock = parts && wallClock(parts.slice(1).map(Number))
  if (!clock) return null
  const fraction = /^\d{1,9}$/.exec(subSeconds?.trim() ?? '')?.[0]
  return fraction ? { ...clock, milliseconds: Math.floor(Number(`0.${fraction}`) * 1000) } : clock
}

/** `+08:00`, `-0330`, `+08` or `Z` as minutes east of UTC; null when it is none of these or beyond ±14:00. */
export function parseOffset(text: string | null | undefined): number | null {
  if (/^z$/i.test(text ?? '')) return 0
  const parts = /^([+-])(\d{2}):?(\d{2})?$/.exec(text?.trim() ?? '')
  if (!parts) return null
  const minutes = Number(parts[2]) * 60 + Number(parts[3] ?? 0)
  return minutes > 14 * 60 || Number(parts[3] ?? 0) > 59 ? null : (parts[1] === '-' ? -1 : 1) * minutes
}

/** Minutes east of UTC as `+08:00`. */
export function formatOffset(minutes: number): string {
  const size = Math.abs(minutes)
  const two = (number: number) => String(number).padStart(2, '0')
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** A wall clock in a zone: the given one, or, flagged, the assumed one (left out: the zone of this machine). */
export function withOffset(
  clock: WallClock,
  offsetMinutes: number | null,
  assumedOffsetMinutes?: number | undefined
): CaptureTime {
  const asUtc = Date.parse(`${clock.local}Z`) + clock.milliseconds
  const zone = offsetMinutes ?? assumedOffsetMinutes
  // Without a zone the controller's clock is meant, and the base stands beside the controller.
  const epochMs = zone === undefined ? Date.parse(clock.local) + clock.milliseconds : asUtc - zone * 60_000
  return { epochMs, offsetMinutes, zoneKnown: offsetMinutes !== null, local: clock.local }
}

/** The zone in which a wall clock shows an instant: whole quarters of an hour within ±14 h, up to `slackS` apart. */
export function zoneOf(clock: WallClock, instantMs: number, slackS = 150): number | null {
  const aheadS = (Date.parse(`${clock.local}Z`) + clock.milliseconds - instantMs) / 1000
  const quarters = Math.round(aheadS / 900)
  if (Math.abs(quarters) > 14 * 4 || Math.abs(aheadS - quarters * 900) > slackS) return null
  return quarters * 15
}

/** An instant as capture time in a known zone; null outside the years 1980 to 2099. */
export function captureTimeAt(epochMs: number, offsetMinutes: number): CaptureTime | null {
  if (!(epochMs >= Date.UTC(1980, 0) && epochMs < Date.UTC(2100, 0))) return null
  const local = new Date(epochMs + offsetMinutes * 60_000).toISOString().slice(0, 19)
  return { epochMs, offsetMinutes, zoneKnown: true, local }
}

function parseCompact(text: string, assumedOffsetMinutes?: number): CaptureTime | null {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)$/.exec(text)
  const clock = parts && wallClock(parts.slice(1).map(Number))
  return clock ? withOffset(clock, null, assumedOffsetMinutes) : null
}

/** Null when the numbers are no date (30 February, a camera that never learnt the time). */
function wallClock(numbers: number[]): WallClock | null {
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = numbers
  const date = new Date(Date.UTC(year, month - 1, day, hour, minute, second))
  const same =
    date.getUTCFullYear() === year &&
    date.getUTCMonth() === month - 1 &&
    date.getUTCDate() === day &&
    date.getUTCHours() === hour &&
    date.getUTCMinutes() === minute &&
    date.getUTCSeconds() === second
  if (!same || year < 1980 || year > 2099) return null
  return { local: date.toISOString().slice(0, 19), milliseconds: 0 }
}
