import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom'
import ExifReader from 'exifreader'
import { type CardFile, tinyFingerprint } from './photo-card.ts'

const HEAD_BYTES = 256 * 1024

/**
 * Reads a folder of real photos and videos as if it were a card: every JPEG, DNG, MP4 and MOV in it, in name order.
 * What a file does not tell about itself is filled in from its modification time, or with zero. Throws when there is no such
 * folder or nothing in it to read.
 */
export async function readCard(directory: string): Promise<CardFile[]> {
  const names = (await namesIn(directory)).filter((name) => /\.(jpe?g|dng|mp4|mov)$/i.test(name)).sort()
  if (names.length === 0)
    throw new Error(`There is no JPEG, DNG, MP4 or MOV file in ${directory}; folders in it are not searched.`)
  const files: CardFile[] = []
  for (const name of names) files.push(await readCardFile(join(directory, name), name))
  return files
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : undefined
    const reason =
      code === 'ENOENT' ? 'there is no such folder' : code === 'ENOTDIR' ? 'it is a file, not a folder' : String(cause)
    throw new Error(`The folder ${directory} cannot be read: ${reason}.`, { cause })
  }
}

async function readCardFile(filePath: string, name: string): Promise<CardFile> {
  const { size, mtime } = await stat(filePath)
  const md5 = createHash('md5')
  for await (const chunk of createReadStream(filePath, { highWaterMark: 1 << 20 })) md5.update(chunk)
  const fingerprint = md5.digest('hex').toUpperCase()
  const tags = /\.(jpe?g|dng)$/i.test(name) ? await readTags(filePath) : {}
  const local = tags.localTime ?? mtime.toISOString().slice(0, 19)
  const capturedAt = `${local}${tags.localTime ? (tags.offset ?? '') : 'Z'}`
  return {
    filePath,
    name,
    sizeBytes: size,
    fingerprint,
    tinyFingerprint: tinyFingerprint(createHash('md5').update(`tiny ${fingerprint}`).digest('hex'), local),
    capturedAt,
    metadata: {
      created_time: capturedAt,
      absolute_altitude: tags.absoluteAltitude ?? 0,
      relative_altitude: tags.relativeAltitude ?? 0,
      gimbal_yaw_degree: tags.gimbalYaw ?? 0,
      shoot_position: { lat: tags.lat ?? 0, lng: tags.lng ?? 0 }
    }
  }
}

type Tags = Partial<Record<'localTime' | 'offset', string>> &
  Partial<Record<'lat' | 'lng' | 'absoluteAltitude' | 'relativeAltitude' | 'gimbalYaw', number>>

async function readTags(filePath: string): Promise<Tags> {
  const file = await open(filePath)
  let head: Buffer
  try {
    const buffer = Buffer.alloc(HEAD_BYTES)
    head = buffer.subarray(0, (await file.read(buffer, 0, HEAD_BYTES, 0)).bytesRead)
  } finally {
    await file.close()
  }
  let tags: ExifReader.ExpandedTags
  try {
    tags = ExifReader.load(head, { expanded: true, domParser: new DOMParser({ onError: onErrorStopParsing }) })
  } catch {
    return {} // no metadata at all: the modification time has to do
  }
  const time = /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(tags.exif?.DateTimeOriginal?.description ?? '')
  const number = (text: unknown) => (Number.isFinite(Number(text)) ? { value: Number(text) } : undefined)
  const xmp = (name: string) => number(tags.xmp?.[name]?.value)?.value
  const offset = tags.exif?.OffsetTimeOriginal?.description
  const found = {
    localTime: time ? `${time[1]}-${time[2]}-${time[3]}T${time[4]}` : undefined,
    offset,
    lat: tags.gps?.Latitude,
    lng: tags.gps?.Longitude,
    absoluteAltitude: xmp('AbsoluteAltitude'),
    relativeAltitude: xmp('RelativeAltitude'),
    gimbalYaw: xmp('GimbalYawDegree')
  }
  return Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Tags
}
