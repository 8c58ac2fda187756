import { useTranslation } from 'react-i18next'

/** Turns values into text the way the language at hand writes them. */
export interface Formats {
  number(value: number, maximumFractionDigits?: number): string
  percent(fraction: number): string
  /** `12.3 MB`; decimal units, as cards and controllers count. */
  bytes(sizeBytes: number): string
  /** `12.3 MB/s` */
  speed(bytesPerSecond: number): string
  /** `4.2 Mbit/s` */
  bitrate(bitsPerSecond: number): string
  /** `1:02:03` or `0:07` */
  clock(durationMs: number): string
  /** `3 minutes`, `20 seconds`: rough, for time left. */
  span(durationMs: number): string
  /** `12 ms`, or a span from a second on. */
  latency(durationMs: number): string
  /** `5 minutes ago` */
  ago(instant: string, nowMs: number): string
  /** A moment where this computer is. */
  dateTime(instant: string): string
  time(instant: string): string
  /** `14:03` */
  minute(instant: string): string
  /** The time alone when `instant` is of the same day as `nowMs`, otherwise with its date. */
  recent(instant: string, nowMs: number): string
  /** A calendar day such as `2026-11-21`, with its weekday. */
  day(day: string): string
  /** A calendar day without the weekday, for lists. */
  shortDay(day: string): string
  /** What a clock showed, such as `2026-11-21T09:00:00`, wherever it hung. */
  wallClock(local: string): string
  /** The time of such a clock alone. */
  wallTime(local: string): string
  degrees(value: number): string
  metres(value: number): string
  /** How many megapixels, as the number before that word; Chinese counts in ten thousands (万像素) there. */
  megapixels(pixels: number): string
  /** `a, b and c` */
  list(items: readonly string[]): string
}

const byteUnits = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const

function scaleBytes(sizeBytes: number): { value: number; unit: (typeof byteUnits)[number]; digits: number } {
  let value = sizeBytes
  let step = 0
  while (Math.abs(value) >= 999.5 && step < byteUnits.length - 1) {
    value /= 1000
    step += 1
  }
  return { value, unit: byteUnits[step] ?? 'terabyte', digits: step === 0 || value >= 100 ? 0 : 1 }
}

function makeFormats(locale: string): Formats {
  /** Below a thousand there is room for the word, which has a plural that the short form lacks. */
  const displayOf = (name: string) => (name === 'byte' ? 'long' : 'short')
  const unit = (value: number, name: string, digits: number, display: 'short' | 'long' = 'short') =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      unitDisplay: display,
      maximumFractionDigits: digits
    }).format(value)
  const percent = new Intl.NumberFormat(locale, { style: 'percent' })
  const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium', hourCycle: 'h23' })
  const wallClock = new Intl.DateTimeFormat(locale, {
    dateStyle: 'medium',
    timeStyle: 'medium',
    hourCycle: 'h23',
    timeZone: 'UTC'
  })
  const wallTime = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', hourCycle: 'h23', timeZone: 'UTC' })
  const time = new Intl.DateTimeFormat(locale, { timeStyle: 'medium', hourCycle: 'h23' })
  const minute = new Intl.DateTimeFormat(locale, { timeStyle: 'short', hourCycle: 'h23' })
  const list = new Intl.ListFormat(locale)
  const day = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' })
  const shortDay = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeZone: 'UTC' })
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto' })
  const span = (durationMs: number) => {
    const seconds = Math.max(1, Math.round(durationMs / 1000))
    if (seconds < 60) return unit(seconds, 'second', 0, 'long')
    if (seconds < 3600) return unit(Math.round(seconds / 60), 'minute', 0, 'long')
    return unit(seconds / 3600, 'hour', 1, 'long')
  }
  const number = (value: number, maximumFractionDigits = 0) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits, signDisplay: 'negative' }).format(value)

  return {
    number,
    percent: (fraction) => percent.format(fraction),
    bytes(sizeBytes) {
      const { value, unit: name, digits } = scaleBytes(sizeBytes)
      return unit(value, name, digits, displayOf(name))
    },
    speed(bytesPerSecond) {
      const { value, unit: name, digits } = scaleBytes(bytesPerSecond)
      return unit(value, `${name}-per-second`, digits, displayOf(name))
    },
    bitrate: (bitsPerSecond) =>
      bitsPerSecond < 999_500
        ? `${number(bitsPerSecond / 1000)} kbit/s`
        : `${number(bitsPerSecond / 1e6, bitsPerSecond < 99.95e6 ? 1 : 0)} Mbit/s`,
    clock(durationMs) {
      const total = Math.round(durationMs / 1000)
      const two = (value: number) => String(value).padStart(2, '0')
      const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60]
      return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
    },
    span,
    latency: (durationMs) => (durationMs < 999.5 ? unit(durationMs, 'millisecond', 0) : span(durationMs)),
    ago(instant, nowMs) {
      const seconds = Math.min(0, Math.round((Date.parse(instant) - nowMs) / 1000))
      if (seconds > -60) return relative.format(seconds, 'second')
      if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute')
      if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), 'hour')
      return relative.format(Math.round(seconds / 86_400), 'day')
    },
    dateTime: (instant) => dateTime.format(new Date(instant)),
    time: (instant) => time.format(new Date(instant)),
    minute: (instant) => minute.format(new Date(instant)),
    recent(instant, nowMs) {
      const at = new Date(instant)
      return at.toDateString() === new Date(nowMs).toDateString() ? time.format(at) : dateTime.format(at)
    },
    day: (value) => day.format(new Date(`${value}T00:00:00Z`)),
    shortDay: (value) => shortDay.format(new Date(`${value}T00:00:00Z`)),
    wallClock: (local) => wallClock.format(new Date(`${local}Z`)),
    wallTime: (local) => wallTime.format(new Date(`${local}Z`)),
    degrees: (value) => `${number(value, 1)}°`,
    metres: (value) => unit(value, 'meter', 1),
    megapixels: (pixels) => (locale.startsWith('zh') ? String(Math.round(pixels / 1e4)) : number(pixels / 1e6, 1)),
    list: (items) => list.format(items)
  }
}

/** The calendar day of an instant where this computer is, such as `2026-11-21`. */
export function localDay(instant: string): string {
  const at = new Date(instant)
  const two = (value: number) => String(value).padStart(2, '0')
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`
}

const known = new Map<string, Formats>()

/** The formats of a language tag; made once per language. */
export function formatsOf(locale: string): Formats {
  const found = known.get(locale) ?? makeFormats(locale)
  known.set(locale, found)
  return found
}

/** The formats of the language on screen. */
export function useFormats(): Formats {
  const { i18n } = useTranslation()
  return formatsOf(i18n.language)
}
