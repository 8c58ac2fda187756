import { type CaptureData, captureDataSchema } from '../../../shared/api/assets.ts'
import { formatOffset } from '../../media/capture-time.ts'

/** What a controller said about a file it uploaded, in our words; null where it said nothing usable. */
export interface UploadReport {
  workspaceId: string
  /** As reported; never rebuilt. */
  objectKey: string
  fingerprint: string | null
  tinyFingerprint: string | null
  name: string
  /** The mission's folder at the controller, empty outside missions. */
  path: string
  subFileType: number | null
  isOriginal: boolean | null
  groupId: string | null
  droneModelKey: string | null
  payloadModelKey: string | null
  droneSerial: string | null
  createdTime: string | number | null
  absoluteAltitudeM: number | null
  relativeAltitudeM: number | null
  gimbalYawDeg: number | null
  latitude: number | null
  longitude: number | null
  /** The body as sent. */
  rawJson: string
}

/** All that is known of an object whose report never came. */
export function reportOfFoundObject(workspaceId: string, objectKey: string): UploadReport {
  return {
    workspaceId,
    objectKey,
    fingerprint: null,
    tinyFingerprint: null,
    name: objectKey.split('/').at(-1) ?? objectKey,
    path: '',
    subFileType: null,
    isOriginal: null,
    groupId: null,
    droneModelKey: null,
    payloadModelKey: null,
    droneSerial: null,
    createdTime: null,
    absoluteAltitudeM: null,
    relativeAltitudeM: null,
    gimbalYawDeg: null,
    latitude: null,
    longitude: null,
    rawJson: '{}'
  }
}

/** What the report says about how the file was taken. */
export function captureFrom(report: UploadReport, zoneOffsetMin: number | null): CaptureData {
  const nothing = Object.fromEntries(Object.keys(captureDataSchema.shape).map((key) => [key, null])) as CaptureData
  return {
    ...nothing,
    droneSerial: report.droneSerial,
    latitude: report.latitude,
    longitude: report.longitude,
    absoluteAltitudeM: report.absoluteAltitudeM,
    relativeAltitudeM: report.relativeAltitudeM,
    gimbalYawDeg: report.gimbalYawDeg,
    zoneOffset: zoneOffsetMin === null ? null : formatOffset(zoneOffsetMin)
  }
}
