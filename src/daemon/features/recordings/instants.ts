import { wallClockAt } from '../../clock.ts'

/** Instants inside recordings are epoch microseconds: the media server tells its files apart by them. */
export const US_PER_MS = 1000
export const US_PER_S = 1_000_000

/** RFC 3339 in UTC with all six digits of microseconds: the only way in which a file's start is found again. */
export function isoFromUs(us: number): string {
  const fraction = String(us % US_PER_S).padStart(6, '0')
  return `${new Date(Math.floor(us / US_PER_S) * 1000).toISOString().slice(0, 19)}.${fraction}Z`
}

/** Epoch microseconds of an RFC 3339 text in any offset, to the microsecond; null when it is none. */
export function usFromIso(text: string): number | null {
  const [, whole, fraction = '', offset] =
    /^(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text) ?? []
  const ms = Date.parse(`${whole}${offset}`)
  return Number.isNaN(ms) ? null : ms * US_PER_MS + Number(fraction.padEnd(6, '0').slice(0, 6))
}

/** The same of a text that the contract let through; a number counts seconds. Throws an `Error` for anything else. */
export function usOf(instant: string | number): number {
  const us = typeof instant === 'number' ? Math.round(instant * US_PER_S) : usFromIso(instant)
  if (us === null) throw new Error(`${instant} is no instant`)
  return us
}

const FILE_NAME = /^(\d{10})-(\d{6})\.mp4$/

/** When the recording in a file began (`%s-%f.mp4`); null for a file that is none. */
export function startOfFile(name: string): number | null {
  const [, seconds, fraction] = FILE_NAME.exec(name) ?? []
  return seconds === undefined ? null : Number(seconds) * US_PER_S + Number(fraction)
}

/** A name for a file of what was recorded at an instant: that of its stream, and the time by the clock of the base. */
export function nameAt(stream: { name: string }, us: number, extension: string): string {
  const time = wallClockAt(Math.floor(us / US_PER_MS), null)
    .replace('T', ' ')
    .replaceAll(':', '.')
  return `${stream.name} ${time}${extension}`
}

/** A window that everything is in. */
export const EVER = { fromUs: 0, toUs: Number.MAX_SAFE_INTEGER }
