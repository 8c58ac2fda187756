/** What a DJI aircraft writes into a photo. Angles in degrees, altitudes in metres. */
export type ShotMetadata = {
  make: string
  model: string
  software?: string
  /** Local wall clock at the aircraft, `YYYY-MM-DDTHH:mm:ss`, with optional fraction. */
  localTime: string
  /** `+08:00`; left out, the photo does not say its zone (as with many aircraft). */
  offset?: string
  /** The same instant in UTC, `YYYY-MM-DDTHH:mm:ss`, written as GPS time; left out, none is written. */
  gpsTime?: string
  widthPx: number
  heightPx: number
  /** EXIF orientation 1…8. */
  orientation?: number
  position?: { lat: number; lng: number; altitude: number }
  relativeAltitude: number
  gimbal: { yaw: number; pitch: number; roll: number }
  flight: { yaw: number; pitch: number; roll: number }
  exposureTimeS: number
  fNumber: number
  iso: number
  focalLengthMm: number
  droneSerial?: string
  cameraSerial?: string
}

type Entry = { tag: number; type: 1 | 2 | 3 | 4 | 5 | 7; count: number; value: Buffer }

const ascii = (tag: number, text: string): Entry => {
  const value = Buffer.from(`${text}\0`, 'latin1')
  return { tag, type: 2, count: value.length, value }
}
const short = (tag: number, number: number): Entry => {
  const value = Buffer.alloc(2)
  value.writeUInt16LE(number)
  return { tag, type: 3, count: 1, value }
}
const long = (tag: number, number: number): Entry => {
  const value = Buffer.alloc(4)
  value.writeUInt32LE(number)
  return { tag, type: 4, count: 1, value }
}
const rationals = (tag: number, ...pairs: [number, number][]): Entry => {
  const value = Buffer.alloc(pairs.length * 8)
  pairs.forEach(([numerator, denominator], i) => {
    value.writeUInt32LE(numerator, i * 8)
    value.writeUInt32LE(denominator, i * 8 + 4)
  })
  return { tag, type: 5, count: pairs.length, value }
}

const ifdSize = (entries: Entry[]) =>
  2 + entries.length * 12 + 4 + entries.reduce((sum, e) => sum + (e.value.length > 4 ? align(e.value.length) : 0), 0)
const align = (length: number) => length + (length & 1)

/** One image file directory (TIFF 6.0 §2) placed at `offset` of the TIFF block, its long values right behind it. */
function writeIfd(entries: Entry[], offset: number, nextOffset: number): Buffer {
  const sorted = [...entries].sort((a, b) => a.tag - b.tag)
  const out = Buffer.alloc(ifdSize(entries))
  out.writeUInt16LE(sorted.length)
  let at = 2
  let dataAt = 2 + sorted.length * 12 + 4
  for (const entry of sorted) {
    out.writeUInt16LE(entry.tag, at)
    out.writeUInt16LE(entry.type, at + 2)
    out.writeUInt32LE(entry.count, at + 4)
    if (entry.value.length <= 4) entry.value.copy(out, at + 8)
    else {
      out.writeUInt32LE(offset + dataAt, at + 8)
      entry.value.copy(out, dataAt)
      dataAt += align(entry.value.length)
    }
    at += 12
  }
  out.writeUInt32LE(nextOffset, at)
  return out
}

const exifTime = (iso: string) => iso.slice(0, 19).replaceAll('-', ':').replace('T', ' ')

const degreesMinutesSeconds = (degrees: number): [number, number][] => {
  const seconds = Math.round(Math.abs(degrees) * 3600 * 10_000)
  return [
    [Math.floor(seconds / 36_000_000), 1],
    [Math.floor((seconds % 36_000_000) / 600_000), 1],
    [seconds % 600_000, 10_000]
  ]
}

function gpsEntries(shot: ShotMetadata): Entry[] {
  const entries: Entry[] = [{ tag: 0, type: 1, count: 4, value: Buffer.from([2, 3, 0, 0]) }]
  if (shot.position) {
    const { lat, lng, altitude } = shot.position
    entries.push(
      ascii(1, lat < 0 ? 'S' : 'N'),
      rationals(2, ...degreesMinutesSeconds(lat)),
      ascii(3, lng < 0 ? 'W' : 'E'),
      rationals(4, ...degreesMinutesSeconds(lng)),
      { tag: 5, type: 1, count: 1, value: Buffer.from([altitude < 0 ? 1 : 0]) },
      rationals(6, [Math.round(Math.abs(altitude) * 1000), 1000])
    )
  }
  if (shot.gpsTime) {
    const [hours, minutes, seconds] = shot.gpsTime.slice(11, 19).split(':').map(Number) as [number, number, number]
    entries.push(
      rationals(7, [hours, 1], [minutes, 1], [seconds, 1]),
      ascii(29, shot.gpsTime.slice(0, 10).replaceAll('-', ':'))
    )
  }
  return entries
}

/**
 * The payload of an EXIF APP1 segment (`Exif\0\0` and a little-endian TIFF block). `thumbnail`, a JPEG, becomes the
 * embedded preview of IFD1; it has to leave the segment below 64 KiB.
 */
export function buildExif(shot: ShotMetadata, thumbnail?: Buffer): Buffer {
  const fraction = /\.(\d+)/.exec(shot.localTime)?.[1]
  const exif: Entry[] = [
    rationals(0x829a, [1, Math.round(1 / shot.exposureTimeS)]),
    rationals(0x829d, [Math.round(shot.fNumber * 100), 100]),
    short(0x8827, shot.iso),
    { tag: 0x9000, type: 7, count: 4, value: Buffer.from('0232') },
    ascii(0x9003, exifTime(shot.localTime)),
    ascii(0x9004, exifTime(shot.localTime)),
    ...(shot.offset ? [ascii(0x9011, shot.offset)] : []),
    ...(fraction ? [ascii(0x9291, fraction)] : []),
    rationals(0x920a, [Math.round(shot.focalLengthMm * 100), 100]),
    long(0xa002, shot.widthPx),
    long(0xa003, shot.heightPx),
    ...(shot.cameraSerial ? [ascii(0xa431, shot.cameraSerial)] : [])
  ]
  const gps = gpsEntries(shot)
  const main = (exifAt: number, gpsAt: number): Entry[] => [
    ascii(0x010f, shot.make),
    ascii(0x0110, shot.model),
    short(0x0112, shot.orientation ?? 1),
    ascii(0x0131, shot.software ?? '10.00.03.02'),
    ascii(0x0132, exifTime(shot.localTime)),
    long(0x8769, exifAt),
    long(0x8825, gpsAt)
  ]
  const exifAt = 8 + ifdSize(main(0, 0))
  const gpsAt = exifAt + ifdSize(exif)
  const previewIfdAt = gpsAt + ifdSize(gps)
  const blocks = [
    Buffer.from('Exif\0\0II*\0\x08\0\0\0', 'latin1'),
    writeIfd(main(exifAt, gpsAt), 8, thumbnail ? previewIfdAt : 0),
    writeIfd(exif, exifAt, 0),
    writeIfd(gps, gpsAt, 0)
  ]
  if (thumbnail) {
    const preview = (at: number): Entry[] => [short(0x0103, 6), long(0x0201, at), long(0x0202, thumbnail.length)]
    blocks.push(writeIfd(preview(previewIfdAt + ifdSize(preview(0))), previewIfdAt, 0), thumbnail)
  }
  return Buffer.concat(blocks)
}

const signed = (number: number, digits = 2) => `${number < 0 ? '-' : '+'}${Math.abs(number).toFixed(digits)}`

/** The payload of an XMP APP1 segment with the `drone-dji` properties. */
export function buildXmp(shot: ShotMetadata): Buffer {
  const properties: [string, string | undefined][] = [
    ['tiff:Make', shot.make],
    ['tiff:Model', shot.model],
    ['drone-dji:GpsStatus', shot.position ? 'Normal' : 'Invalid'],
    ['drone-dji:GpsLatitude', shot.position && signed(shot.position.lat, 9)],
    ['drone-dji:GpsLongitude', shot.position && signed(shot.position.lng, 9)],
    ['drone-dji:AbsoluteAltitude', signed(shot.position?.altitude ?? 0, 3)],
    ['drone-dji:RelativeAltitude', signed(shot.relativeAltitude, 3)],
    ['drone-dji:GimbalYawDegree', signed(shot.gimbal.yaw)],
    ['drone-dji:GimbalPitchDegree', signed(shot.gimbal.pitch)],
    ['drone-dji:GimbalRollDegree', signed(shot.gimbal.roll)],
    ['drone-dji:FlightYawDegree', signed(shot.flight.yaw)],
    ['drone-dji:FlightPitchDegree', signed(shot.flight.pitch)],
    ['drone-dji:FlightRollDegree', signed(shot.flight.roll)],
    ['drone-dji:DroneModel', shot.model],
    ['drone-dji:DroneSerialNumber', shot.droneSerial],
    ['drone-dji:CameraSerialNumber', shot.cameraSerial]
  ]
  const attributes = properties.flatMap(([name, value]) => (value === undefined ? [] : [`   ${name}="${value}"`]))
  return Buffer.from(
    `http://ns.adobe.com/xap/1.0/\0<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="DJI Meta Data"
   xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
   xmlns:drone-dji="http://www.dji.com/drone-dji/1.0/"
${attributes.join('\n')}/>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`
  )
}

/** Puts APP1 segments (payloads as built above, each below 64 KiB) in front of everything else in a JPEG. */
export function insertApp1(jpeg: Buffer, ...payloads: Buffer[]): Buffer {
  const segments = payloads.flatMap((payload) => {
    const head = Buffer.from([0xff, 0xe1, 0, 0])
    head.writeUInt16BE(payload.length + 2, 2)
    return [head, payload]
  })
  return Buffer.concat([jpeg.subarray(0, 2), ...segments, jpeg.subarray(2)])
}
