import { createHash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { demoClip } from './demo-clip.ts'
import { drawAerial } from './draw-aerial.ts'
import { buildExif, buildXmp, insertApp1, type ShotMetadata } from './photo-metadata-writer.ts'
import { seededRandom } from './seeded-random.ts'

/** A file of an aircraft's memory card, with what Pilot 2 says about it when it uploads it. */
export type CardFile = {
  filePath: string
  /** As on the card, `DJI_20250614093000_0001_V.JPG`. */
  name: string
  sizeBytes: number
  /** Upper-case hexadecimal MD5 of the file. */
  fingerprint: string
  /** 32 lower-case hexadecimal digits and the capture time, `…_2025_6_14_9_30_0`. */
  tinyFingerprint: string
  /** ISO 8601 with the zone of the aircraft. */
  capturedAt: string
  /** As in Pilot's `metadata` member. */
  metadata: {
    created_time: string
    absolute_altitude: number
    relative_altitude: number
    gimbal_yaw_degree: number
    shoot_position: { lat: number; lng: number }
  }
}

export type PhotoCardOptions = {
  /** Created when missing; files of the same names are overwritten. */
  directory: string
  /** Number of photos, 1…9999. */
  count: number
  /** The same seed and options give the same files. */
  seed: number
  /** Wall clock of the first shot, `YYYY-MM-DDTHH:mm:ss`; default 2025-06-14T09:30:00. */
  startedAt?: string
  /** Zone of that clock; default `+08:00`. */
  offset?: string
  /** Seconds between two shots; default 3. */
  intervalS?: number
  /** Counter of the first file name; default 1. */
  firstCounter?: number
  /** Size of a photo in megapixels (4:3); default 1.5. */
  megapixels?: number
  /** JPEG quality; default 82, which gives about 5 MB at 20 megapixels. */
  quality?: number
  /** So many pictures are really drawn, the others repeat their pixels with metadata of their own; default: all. */
  distinctPictures?: number
  /** Longest side of the preview embedded in the EXIF block; none when left out. */
  previewPx?: number
  /** Aircraft; default M4E. */
  model?: string
  /** Middle of the surveyed area. */
  home?: { lat: number; lng: number }
  /** Adds the video clip as the last file; default true. */
  withClip?: boolean
}

/**
 * Writes a card of generated photos (a survey flown in parallel lines, straight down) and, at the end, the demo clip.
 * Gives the files in the order the aircraft took them.
 */
export async function createPhotoCard(options: PhotoCardOptions): Promise<CardFile[]> {
  const { directory, count, seed, distinctPictures = count, withClip = true } = options
  await mkdir(directory, { recursive: true })
  const unitPx = 2 * Math.round(Math.sqrt(((options.megapixels ?? 1.5) * 1e6) / 12) / 2)
  const [widthPx, heightPx] = [4 * unitPx, 3 * unitPx]
  const pictures: { jpeg: Buffer; preview: Buffer | undefined }[] = []
  const files: CardFile[] = []
  for (let index = 0; index < count; index++) {
    let picture = pictures[index % distinctPictures]
    if (!picture) {
      const caption = `FLIGHT ${seed} - SHOT ${String(index + 1).padStart(4, '0')}`
      const drawing = { widthPx, heightPx, seed: seed * 10_000 + index, caption, quality: options.quality ?? 82 }
      const jpeg = await drawAerial(drawing)
      picture = { jpeg, preview: options.previewPx ? await preview(jpeg, options.previewPx) : undefined }
      pictures.push(picture)
    }
    const shot = shotAt(index, options, widthPx, heightPx)
    const photo = insertApp1(picture.jpeg, buildExif(shot, picture.preview), buildXmp(shot))
    files.push(await writeCardFile(photo, index, 'JPG', shot, options))
  }
  if (withClip) {
    const shot = shotAt(count, options, 0, 0)
    files.push(await writeCardFile(await demoClip(`${seed}:${shot.localTime}`), count, 'MP4', shot, options))
  }
  return files
}

/** The tiny fingerprint of Pilot's form for any 32 hexadecimal digits and a local time `YYYY-MM-DDTHH:mm:ss`. */
export function tinyFingerprint(hex: string, localTime: string): string {
  const parts = localTime.slice(0, 19).split(/[-T:]/).map(Number)
  return `${hex.toLowerCase()}_${parts.join('_')}`
}

const preview = (jpeg: Buffer, sizePx: number) =>
  sharp(jpeg).resize(sizePx, sizePx, { fit: 'inside' }).jpeg({ quality: 60 }).toBuffer()

function shotAt(index: number, options: PhotoCardOptions, widthPx: number, heightPx: number): ShotMetadata {
  const { seed, startedAt = '2025-06-14T09:30:00', offset = '+08:00', intervalS = 3 } = options
  const home = options.home ?? { lat: 22.582, lng: 113.936 }
  const random = seededRandom(seed, `shot ${index}`)
  const instantMs = Date.parse(`${startedAt}${offset}`) + index * intervalS * 1000
  const localMs = Date.parse(`${startedAt}Z`) + index * intervalS * 1000
  // Lines of eight shots, every second one flown back.
  const line = Math.floor(index / 8)
  const along = line % 2 ? 7 - (index % 8) : index % 8
  const heading = line % 2 ? 180 : 0
  const wobble = (range: number) => Number(random.between(-range, range).toFixed(2))
  return {
    make: 'DJI',
    model: options.model ?? 'M4E',
    localTime: new Date(localMs).toISOString().slice(0, 19),
    offset,
    gpsTime: new Date(instantMs).toISOString().slice(0, 19),
    widthPx,
    heightPx,
    position: {
      lat: Number((home.lat + (along - 3.5) * 0.00018 + wobble(0.1) * 1e-6).toFixed(9)),
      lng: Number((home.lng + (line - 3) * 0.00022 + wobble(0.1) * 1e-6).toFixed(9)),
      altitude: Number((142.5 + wobble(0.6)).toFixed(3))
    },
    relativeAltitude: Number((100 + wobble(0.4)).toFixed(3)),
    gimbal: { yaw: heading + wobble(1.5), pitch: -90 + Math.abs(wobble(0.2)), roll: 0 },
    flight: { yaw: heading + wobble(2), pitch: wobble(4), roll: wobble(3) },
    exposureTimeS: 1 / random.integer(320, 1250),
    fNumber: 2.8,
    iso: 100,
    focalLengthMm: 12.29,
    droneSerial: `1581F${String(seed).padStart(6, '0')}DEMO`,
    cameraSerial: `4K2D${String(seed).padStart(6, '0')}DEMO`
  }
}

async function writeCardFile(
  bytes: Buffer,
  index: number,
  extension: 'JPG' | 'MP4',
  shot: ShotMetadata,
  options: PhotoCardOptions
): Promise<CardFile> {
  const counter = String((options.firstCounter ?? 1) + index).padStart(4, '0')
  const name = `DJI_${shot.localTime.replaceAll(/\D/g, '')}_${counter}_V.${extension}`
  const filePath = join(options.directory, name)
  await writeFile(filePath, bytes)
  const md5 = createHash('md5').update(bytes).digest('hex')
  const capturedAt = `${shot.localTime}${shot.offset}`
  return {
    filePath,
    name,
    sizeBytes: bytes.length,
    fingerprint: md5.toUpperCase(),
    tinyFingerprint: tinyFingerprint(createHash('md5').update(`tiny ${md5}`).digest('hex'), shot.localTime),
    capturedAt,
    metadata: {
      created_time: capturedAt,
      absolute_altitude: shot.position?.altitude ?? 0,
      relative_altitude: shot.relativeAltitude,
      gimbal_yaw_degree: shot.gimbal.yaw,
      shoot_position: { lat: shot.position?.lat ?? 0, lng: shot.position?.lng ?? 0 }
    }
  }
}
