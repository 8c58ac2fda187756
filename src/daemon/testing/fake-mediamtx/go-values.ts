// Values as a Go program reads and writes them, with the words it refuses them in.

const SECOND_NS = 1e9
const DAY_NS = 86_400 * SECOND_NS
const unitsNs: Record<string, number> = {
  ns: 1,
  us: 1e3,
  µs: 1e3,
  ms: 1e6,
  s: SECOND_NS,
  m: 60 * SECOND_NS,
  h: 3600 * SECOND_NS
}

/** Nanoseconds of a duration (`1d12h`, `90s`, `500ms`); throws an `Error` in Go's words. */
export function parseDuration(text: string): number {
  const days = /^(-?\d+)d/.exec(text)
  const rest = days ? text.slice(days[0].length) : text
  return Number(days?.[1] ?? 0) * DAY_NS + (rest === '' ? 0 : parseGoDuration(rest))
}

/** Nanoseconds of a duration without days, as Go's time.ParseDuration reads it. */
export function parseGoDuration(text: string): number {
  const quoted = `duration ${JSON.stringify(text)}`
  const unsigned = text.replace(/^[+-]/, '')
  if (unsigned === '0') return 0
  if (unsigned === '') throw new Error(`time: invalid ${quoted}`)
  let total = 0
  for (let rest = unsigned; rest !== ''; ) {
    const number = /^(\d+\.?\d*|\.\d+)/.exec(rest)?.[0]
    if (number === undefined) throw new Error(`time: invalid ${quoted}`)
    rest = rest.slice(number.length)
    const unit = /^[^\d.]*/.exec(rest)?.[0] ?? ''
    if (unit === '') throw new Error(`time: missing unit in ${quoted}`)
    const unitNs = unitsNs[unit]
    if (unitNs === undefined) throw new Error(`time: unknown unit ${JSON.stringify(unit)} in ${quoted}`)
    total += Number(number) * unitNs
    rest = rest.slice(unit.length)
  }
  return text.startsWith('-') ? -total : total
}

/** A duration as the server writes it: days first, zero is the empty string. */
export function formatDuration(ns: number): string {
  if (ns < 0) return `-${formatDuration(-ns)}`
  const days = Math.floor(ns / DAY_NS)
  const rest = ns % DAY_NS
  return (days > 0 ? `${days}d` : '') + (rest === 0 ? '' : formatGoDuration(rest))
}

function formatGoDuration(ns: number): string {
  if (ns < 1e3) return `${ns}ns`
  if (ns < 1e6) return `${ns / 1e3}µs`
  if (ns < SECOND_NS) return `${ns / 1e6}ms`
  const minutes = Math.floor(ns / (60 * SECOND_NS))
  const seconds = `${(ns % (60 * SECOND_NS)) / SECOND_NS}s`
  if (minutes === 0) return seconds
  return minutes < 60 ? `${minutes}m${seconds}` : `${Math.floor(minutes / 60)}h${minutes % 60}m${seconds}`
}

const sizeUnits = ['B', 'K', 'M', 'G', 'T', 'P', 'E']

/** Bytes of a size (`50M`, `1.5GiB`); throws an `Error` in the server's words. */
export function parseSize(text: string): number {
  const found = /^(\d+\.?\d*|\.\d+)(?:(B)|([KMGTPE])(?:I?B)?)$/.exec(text.trim().toUpperCase())
  if (!found)
    throw new Error(
      'byte quantity must be a positive integer with a unit of measurement like M, MB, MiB, G, GiB, or GB'
    )
  return Math.floor(Number(found[1]) * 1024 ** sizeUnits.indexOf(found[2] ?? found[3] ?? 'B'))
}

export function formatSize(bytes: number): string {
  const power = bytes === 0 ? 0 : Math.min(6, Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(1).replace(/\.0$/, '')}${sizeUnits[power]}`
}

/** What Go's time.RFC3339 is made of: how each part is written in the layout, what it looks like, what it may be. */
const instantParts = [
  { layout: '2006', pattern: /^\d{4}/ },
  { layout: '-', pattern: /^-/ },
  { layout: '01', pattern: /^\d{2}/, name: 'month', from: 1, to: 12 },
  { layout: '-', pattern: /^-/ },
  { layout: '02', pattern: /^\d{2}/, name: 'day', from: 1, to: 31 },
  { layout: 'T', pattern: /^T/ },
  { layout: '15', pattern: /^\d{1,2}/, name: 'hour', from: 0, to: 23 },
  { layout: ':', pattern: /^:/ },
  { layout: '04', pattern: /^\d{2}/, name: 'minute', from: 0, to: 59 },
  { layout: ':', pattern: /^:/ },
  { layout: '05', pattern: /^\d{2}/, name: 'second', from: 0, to: 59 },
  { layout: '', pattern: /^([.,]\d+)?/ },
  { layout: 'Z07:00', pattern: /^(Z|[+-]\d{2}:\d{2})/ }
]

/** An instant in whole microseconds, with the offset it was written in. */
export interface Instant {
  us: number
  offsetMinutes: number
}

/** Reads RFC 3339 up to microseconds; throws an `Error` in Go's words. */
export function parseInstant(text: string): Instant {
  let rest = text
  const read: string[] = []
  for (const part of instantParts) {
    const found = part.pattern.exec(rest)
    if (!found) {
      const where = `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(part.layout)}`
      throw new Error(`parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": ${where}`)
    }
    const value = Number(found[0])
    if (part.name && (value < part.from || value > part.to)) {
      throw new Error(`parsing time ${JSON.stringify(text)}: ${part.name} out of range`)
    }
    read.push(found[0])
    rest = rest.slice(found[0].length)
  }
  if (rest !== '') throw new Error(`parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`)
  const [year, , month, , day, , hour, , minute, , second, fraction = '', zone = 'Z'] = read
  const wallMs = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const sign = zone.startsWith('-') ? -1 : 1
  const offsetMinutes = zone === 'Z' ? 0 : sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4)))
  const fractionUs = Number(fraction.slice(1).padEnd(6, '0').slice(0, 6))
  return { us: (wallMs - offsetMinutes * 60_000) * 1000 + fractionUs, offsetMinutes }
}

/** RFC 3339 with the fraction trimmed, as Go's RFC3339Nano writes it; in UTC unless an offset is given. */
export function formatInstant(us: number, offsetMinutes = 0): string {
  const seconds = Math.floor(us / 1e6)
  const fraction = String(us - seconds * 1e6)
    .padStart(6, '0')
    .replace(/0+$/, '')
  const wall = new Date((seconds + offsetMinutes * 60) * 1000).toISOString().slice(0, 19)
  return `${wall}${fraction === '' ? '' : `.${fraction}`}${formatOffset(offsetMinutes)}`
}

function formatOffset(minutes: number): string {
  if (minutes === 0) return 'Z'
  const twoDigits = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const distance = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${twoDigits(distance / 60)}:${twoDigits(distance % 60)}`
}
