import { localDay } from '../../clock.ts'
import { captureTimeOfName, parseCreatedTime } from '../../media/capture-time.ts'
import type { UploadReport } from './upload-report.ts'

/** When something was taken as far as the report tells; the file's own data is better and comes later. */
export interface CaptureMoment {
  takenAtMs: number
  /** The calendar day where it was taken. */
  takenDay: string
  /** Minutes east of UTC; null when unknown, then the zone of this machine was assumed. */
  zoneOffsetMin: number | null
  source: 'callback' | 'name' | 'received'
}

/** The controller's word, else the time in the file's name, else now. */
export function captureMoment(report: Pick<UploadReport, 'createdTime' | 'name'>, receivedAtMs: number): CaptureMoment {
  const told = parseCreatedTime(report.createdTime)
  const time = told ?? captureTimeOfName(report.name)
  if (!time)
    return { takenAtMs: receivedAtMs, takenDay: localDay(receivedAtMs), zoneOffsetMin: null, source: 'received' }
  return {
    takenAtMs: time.epochMs,
    takenDay: time.local.slice(0, 10),
    zoneOffsetMin: time.offsetMinutes,
    source: told ? 'callback' : 'name'
  }
}
