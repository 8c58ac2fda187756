import type ExifReader from 'exifreader'
import type { ByteSource } from './byte-source.ts'
import { type CaptureTime, parseExifTime, parseOffset, withOffset, zoneOf } from './capture-time.ts'
import { type PhotoProblem, type PhotoTags, readPhotoTags } from './read-tags.ts'

/** What a photo says about how it was taken; null where it says nothing usable. */
export type PhotoMetadata = {
  captureTime: CaptureTime | null
  /** Where the zone of `captureTime` is from. */
  zoneSource: 'exif' | 'gps' | null
  /** Upright size, `orientation` applied. */
  widthPx: number | null
  heightPx: number | null
  /** EXIF orientation 1…8. */
  orientation: number | null
  /** Degrees; null also for the 0,0 an aircraft writes without a fix. */
  latitude: number | null
  longitude: number | null
  absoluteAltitudeM: number | null
  relativeAltitudeM: number | null
  gimbalYawDeg: number | null
  gimbalPitchDeg: number | null
  gimbalRollDeg: number | null
  flightYawDeg: number | null
  flightPitchDeg: number | null
  flightRollDeg: number | null
  cameraMake: string | null
  cameraModel: string | null
  lensModel: string | null
  exposureTimeS: number | null
  fNumber: number | null
  iso: number | null
  focalLengthMm: number | null
  focalLength35mm: number | null
  droneModel: string | null
  droneSerial: string | null
  cameraSerial: string | null
}

export type PhotoReading = { metadata: PhotoMetadata; problems: PhotoProblem[] }

/**
 * Reads a photo's metadata from EXIF, GPS and `drone-dji` XMP. Hostile or damaged metadata gives nulls and `problems`;
 * only the source's errors are raised. `assumedOffsetMinutes` is the zone of a photo that does not tell its own (default:
 * the zone of this machine).
 */
export async function readPhotoMetadata(
  source: ByteSource,
  options: { assumedOffsetMinutes?: number } = {}
): Promise<PhotoReading> {
  return interpret(await readPhotoTags(source), options.assumedOffsetMinutes)
}

function interpret(photo: PhotoTags, assumedOffsetMinutes: number | undefined): PhotoReading {
  const problems = [...photo.problems]
  const { exif, xmp, container } = valuesOf(photo.tags)
  const place = position(photo.tags, xmp, problems)
  return {
    metadata: {
      ...captureTime(exif, xmp, place.longitude, assumedOffsetMinutes, problems),
      ...dimensions(photo, exif, container),
      ...place,
      absoluteAltitudeM: xmp.number('AbsoluteAltitude') ?? finite(photo.tags.gps?.Altitude),
      relativeAltitudeM: xmp.number('RelativeAltitude'),
      gimbalYawDeg: xmp.number('GimbalYawDegree'),
      gimbalPitchDeg: xmp.number('GimbalPitchDegree'),
      gimbalRollDeg: xmp.number('GimbalRollDegree'),
      flightYawDeg: xmp.number('FlightYawDegree'),
      flightPitchDeg: xmp.number('FlightPitchDegree'),
      flightRollDeg: xmp.number('FlightRollDegree'),
      cameraMake: exif.text('Make') ?? xmp.text('Make'),
      cameraModel: exif.text('Model') ?? xmp.text('Model'),
      lensModel: exif.text('LensModel'),
      exposureTimeS: positive(exif.number('ExposureTime')),
      fNumber: positive(exif.number('FNumber')),
      iso: positive(exif.number('ISOSpeedRatings')),
      focalLengthMm: positive(exif.number('FocalLength')),
      focalLength35mm: positive(exif.number('FocalLengthIn35mmFilm')),
      droneModel: xmp.text('DroneModel'),
      droneSerial: xmp.text('DroneSerialNumber'),
      cameraSerial: xmp.text('CameraSerialNumber') ?? exif.text('BodySerialNumber')
    },
    problems
  }
}

type Values = { text(name: string): string | null; number(name: string): number | null; raw(name: string): unknown }

/** Reads tags by name without trusting their types: any tag can have any type in a made-up file. */
function valuesOf(tags: ExifReader.ExpandedTags): Record<'exif' | 'xmp' | 'container', Values> {
  const reader = (group: object | undefined, member: 'computed' | 'value'): Values => {
    const raw = (name: string) => {
      const tag: unknown = group && Object.hasOwn(group, name) ? Reflect.get(group, name) : undefined
      return typeof tag === 'object' && tag !== null ? Reflect.get(tag, member) : undefined
    }
    return { raw, text: (name) => cleanText(raw(name)), number: (name) => looseNumber(raw(name)) }
  }
  return {
    exif: reader(tags.exif, 'computed'),
    xmp: reader(tags.xmp, 'value'),
    container: reader(tags.pngFile ?? tags.png ?? tags.riff, 'value')
  }
}

function cleanText(value: unknown): string | null {
  const text = Array.isArray(value) && typeof value[0] === 'string' ? value[0] : value
  if (typeof text !== 'string') return null
  // biome-ignore lint/suspicious/noControlCharactersInRegex: padding and terminators of fixed-length fields
  const clean = text.replaceAll(/[\u0000-\u001f\u007f]+/g, ' ').trim()
  return clean === '' ? null : clean.slice(0, 200)
}

/** `+198.31` is how DJI writes numbers into XMP. */
function looseNumber(value: unknown): number | null {
  const single = Array.isArray(value) ? value[0] : value
  if (typeof single === 'number') return finite(single)
  return typeof single === 'string' && /^\s*[+-]?\d/.test(single) ? finite(Number(single)) : null
}

const finite = (number: number | undefined) => (number !== undefined && Math.abs(number) < 1e9 ? number : null)
const positive = (number: number | null) => (number !== null && number > 0 ? number : null)

function captureTime(
  exif: Values,
  xmp: Values,
  longitude: number | null,
  assumedOffsetMinutes: number | undefined,
  problems: PhotoProblem[]
): Pick<PhotoMetadata, 'captureTime' | 'zoneSource'> {
  const written = exif.text('DateTimeOriginal') ?? exif.text('DateTime')
  const clock = parseExifTime(written, exif.text('SubSecTimeOriginal'))
  if (!clock) {
    if (written) problems.push('capture_time_invalid')
    return { captureTime: null, zoneSource: null }
  }
  const offset = parseOffset(exif.text('OffsetTimeOriginal') ?? exif.text('OffsetTime'))
  if (offset !== null) return { captureTime: withOffset(clock, offset), zoneSource: 'exif' }
  const utc = gpsInstant(exif) ?? utcAtExposure(xmp)
  const derived = utc === null ? null : zoneOf(clock, utc)
  // Some cameras write local time where GPS time belongs. A zone that far from its longitude is none.
  const isPlausible = derived === null || longitude === null || Math.abs(longitude / 15 - derived / 60) <= 4
  if (utc !== null && (derived === null || !isPlausible)) problems.push('zone_doubtful')
  const zone = isPlausible ? derived : null
  return { captureTime: withOffset(clock, zone, assumedOffsetMinutes), zoneSource: zone === null ? null : 'gps' }
}

function gpsInstant(exif: Values): number | null {
  const date = /^(\d{4}):(\d\d):(\d\d)$/.exec(exif.text('GPSDateStamp') ?? '')
  const time = exif.raw('GPSTimeStamp')
  if (!date || !Array.isArray(time) || time.length !== 3) return null
  const [hours, minutes, seconds] = time.map((part) => looseNumber(part) ?? Number.NaN) as [number, number, number]
  const ms = Date.parse(`${date[1]}-${date[2]}-${date[3]}T00:00:00Z`) + ((hours * 60 + minutes) * 60 + seconds) * 1000
  return Number.isFinite(ms) ? ms : null
}

function utcAtExposure(xmp: Values): number | null {
  const text = xmp.text('UTCAtExposure')?.replace(' ', 'T').replace(/Z$/, '')
  const ms = Date.parse(`${text}Z`)
  return Number.isFinite(ms) ? ms : null
}

function position(
  tags: ExifReader.ExpandedTags,
  xmp: Values,
  problems: PhotoProblem[]
): Pick<PhotoMetadata, 'latitude' | 'longitude'> {
  const none = { latitude: null, longitude: null }
  if (/^invalid$/i.test(xmp.text('GpsStatus') ?? '')) return none
  const latitude = xmp.number('GpsLatitude') ?? finite(tags.gps?.Latitude)
  // Older firmware misspells the property.
  const longitude = xmp.number('GpsLongitude') ?? xmp.number('GpsLongtitude') ?? finite(tags.gps?.Longitude)
  if (latitude === null || longitude === null) return none
  if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) {
    problems.push('position_invalid')
    return none
  }
  return latitude === 0 && longitude === 0 ? none : { latitude, longitude }
}

function dimensions(
  { jpeg }: PhotoTags,
  exif: Values,
  container: Values
): Pick<PhotoMetadata, 'widthPx' | 'heightPx' | 'orientation'> {
  const written = exif.number('Orientation')
  const orientation = written !== null && Number.isInteger(written) && written >= 1 && written <= 8 ? written : null
  const size = (value: unknown) => {
    const number = looseNumber(value)
    return number !== null && Number.isInteger(number) && number > 0 ? number : null
  }
  const width = size(jpeg?.frame?.widthPx ?? container.raw('Image Width') ?? exif.raw('PixelXDimension'))
  const height = size(jpeg?.frame?.heightPx ?? container.raw('Image Height') ?? exif.raw('PixelYDimension'))
  const isTurned = orientation !== null && orientation >= 5
  return { widthPx: isTurned ? height : width, heightPx: isTurned ? width : height, orientation }
}
