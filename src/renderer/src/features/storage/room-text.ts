import type { TFunction } from 'i18next'
import type { Storage } from '../../../../shared/api/storage.ts'
import type { Formats } from '../../lib/format.ts'

/** What a photo of 20 megapixels takes, about. */
const PHOTO_BYTES = 10_000_000
/** What an hour of 4K video takes at 100 Mbit/s. */
const VIDEO_HOUR_BYTES = 45_000_000_000
const HOUR_MS = 3_600_000
/** Beyond this nobody plans. */
const MANY_FLIGHTS = 100

/** How much fits, as one would say it; null where the store does not tell. */
export function roomText(
  t: TFunction,
  formats: Formats,
  { disk, room }: Pick<Storage, 'disk' | 'room'>
): string | null {
  if (disk === null) return null
  if (disk.availableBytes < PHOTO_BYTES) return t('storage.room.none')
  if (room === null) {
    const photos = twoDigits(disk.availableBytes / PHOTO_BYTES)
    const hours = formats.span((disk.availableBytes / VIDEO_HOUR_BYTES) * HOUR_MS)
    return t('storage.room.photos', { amount: formats.number(photos), hours })
  }
  const { flights, like } = room
  if (flights === 0) return t(`storage.room.noFlight.${like}`)
  if (flights >= MANY_FLIGHTS) return t(`storage.room.manyFlights.${like}`, { amount: formats.number(MANY_FLIGHTS) })
  return t(`storage.room.flights.${like}`, { count: flights, amount: formats.number(flights) })
}

/** Rounded down to what can be meant by "about". */
function twoDigits(value: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1)
  return Math.floor(value / step) * step
}

/** What the disk is filled with, in shares of it that come to one. */
export function sharesOf(disk: NonNullable<Storage['disk']>, storedBytes: number) {
  const mediaBytes = Math.min(storedBytes, disk.totalBytes - disk.freeBytes)
  const bytes = {
    media: mediaBytes,
    others: disk.totalBytes - disk.freeBytes - mediaBytes,
    kept: disk.freeBytes - disk.availableBytes,
    forMedia: disk.availableBytes
  }
  return (['media', 'others', 'kept', 'forMedia'] as const).map((name) => ({
    name,
    bytes: bytes[name],
    share: bytes[name] / disk.totalBytes
  }))
}
