import { localDay } from '../../clock.ts'
import { type CaptureTime, zoneOf } from '../../media/capture-time.ts'

/** When an asset was taken, and who says so. */
export interface Moment {
  takenAtMs: number
  /** The calendar day where it was taken. */
  takenDay: string
  /** Minutes east of UTC; null when unknown. */
  zoneOffsetMin: number | null
  source: 'callback' | 'name' | 'received' | 'file'
}

/** What a file says: a photo's clock, or a video's instant without zone. */
export interface FileTimes {
  photo: CaptureTime | null
  videoCreatedAtMs: number | null
}

/**
 * The best of what is known. A photo that tells its zone is right. One that does not still tells the wall clock, which
 * gives the zone when somebody else knows the instant. Videos are believed last: aircraft often write local time where
 * UTC belongs.
 */
export function chooseMoment(known: Moment, { photo, videoCreatedAtMs }: FileTimes): Moment {
  if (photo?.zoneKnown) return fromPhoto(photo)
  const isInstantKnown = known.source === 'callback' && known.zoneOffsetMin !== null
  if (photo && isInstantKnown) {
    const zone = zoneOf({ local: photo.local, milliseconds: 0 }, known.takenAtMs)
    if (zone === null) return known
    return { ...known, takenDay: photo.local.slice(0, 10), zoneOffsetMin: zone }
  }
  if (photo) return fromPhoto(photo)
  if (videoCreatedAtMs !== null && known.source === 'received')
    return {
      takenAtMs: videoCreatedAtMs,
      takenDay: localDay(videoCreatedAtMs),
      zoneOffsetMin: null,
      source: 'file'
    }
  return known
}

function fromPhoto(photo: CaptureTime): Moment {
  return {
    takenAtMs: photo.epochMs,
    takenDay: photo.local.slice(0, 10),
    zoneOffsetMin: photo.offsetMinutes,
    source: 'file'
  }
}
