import { DOMParser, onErrorStopParsing } from '@xmldom/xmldom'
import ExifReader from 'exifreader'
import type { ByteSource } from './byte-source.ts'
import { type JpegHead, readJpegHead } from './jpeg-head.ts'
import { type MediaType, SNIFF_BYTES, sniffMedia } from './sniff-media.ts'

/** The raw tags of a photo. `problems` names what could not be read. */
export type PhotoTags = {
  type: MediaType
  tags: ExifReader.ExpandedTags
  /** Set for JPEG. */
  jpeg: JpegHead | null
  problems: PhotoProblem[]
}

export type PhotoProblem =
  | 'empty_file'
  | 'not_a_photo'
  | 'no_metadata'
  | 'metadata_unreadable'
  | 'metadata_out_of_reach'
  | 'cut_before_pixels'
  | 'xmp_unreadable'
  | 'capture_time_invalid'
  | 'zone_doubtful'
  | 'position_invalid'

// Photos other than JPEG keep their metadata at the front, except for TIFF, which may keep it at the end.
const HEAD_BYTES = 1 << 20
const TIFF_REACH_BYTES = 16 << 20

const EXIF_TAGS = [
  'Make',
  'Model',
  'Orientation',
  'DateTime',
  'DateTimeOriginal',
  'SubSecTimeOriginal',
  'OffsetTime',
  'OffsetTimeOriginal',
  'ExposureTime',
  'FNumber',
  'ISOSpeedRatings',
  'FocalLength',
  'FocalLengthIn35mmFilm',
  'LensModel',
  'BodySerialNumber',
  'PixelXDimension',
  'PixelYDimension',
  'ImageWidth',
  'ImageLength',
  'GPSDateStamp',
  'GPSTimeStamp',
  'GPSLatitude',
  'GPSLatitudeRef',
  'GPSLongitude',
  'GPSLongitudeRef',
  'GPSAltitude',
  'GPSAltitudeRef'
]

/**
 * Reads EXIF, XMP, GPS, the embedded preview and the list of multi-picture images of a photo, never its pixels.
 * Whatever the content, memory and time stay in proportion to the bytes read: 64 KiB per JPEG segment, 1 MiB of other
 * formats, at most 16 MiB of a TIFF. Raises only the source's errors.
 */
export async function readPhotoTags(source: ByteSource): Promise<PhotoTags> {
  const head = await source.read(0, SNIFF_BYTES)
  const type = sniffMedia(head)
  const nothing = { type, tags: {}, jpeg: null }
  if (head.length === 0) return { ...nothing, problems: ['empty_file'] }
  if (type.kind !== 'image') return { ...nothing, problems: ['not_a_photo'] }
  const jpeg = await readJpegHead(source)
  if (jpeg) {
    const { tags, problems } = parse(jpeg.essence)
    return { type, jpeg, tags, problems: jpeg.frame ? problems : [...problems, 'cut_before_pixels'] }
  }
  let bytes = await source.read(0, HEAD_BYTES)
  const directory = tiffDirectoryOffset(bytes)
  if (directory !== null && directory + 2 > bytes.length) {
    if (directory + 2 > TIFF_REACH_BYTES) return { ...nothing, problems: ['metadata_out_of_reach'] }
    bytes = await source.read(0, TIFF_REACH_BYTES)
  }
  return { type, jpeg: null, ...parse(bytes) }
}

function tiffDirectoryOffset(head: Buffer): number | null {
  if (head.length < 8) return null
  if (head.toString('latin1', 0, 4) === 'II*\0') return head.readUInt32LE(4)
  return head.toString('latin1', 0, 4) === 'MM\0*' ? head.readUInt32BE(4) : null
}

function parse(bytes: Buffer): { tags: ExifReader.ExpandedTags; problems: PhotoProblem[] } {
  const hasXmp = bytes.includes('<x:xmpmeta') || bytes.includes('<rdf:RDF')
  // The reader looks for the packet's end with a pattern that goes over the rest of the packet for every begin of an
  // end mark, so a packet made of such marks is left out.
  const isXmpHostile = countOf(bytes, '<?xpacket', 8) === 8
  try {
    const tags = ExifReader.load(bytes, {
      expanded: true,
      computed: true,
      domParser: new DOMParser({ onError: onErrorStopParsing }),
      includeTags: {
        exif: EXIF_TAGS,
        gps: true,
        thumbnail: true,
        mpf: true,
        file: true,
        png: ['Image Width', 'Image Height'],
        riff: ['Image Width', 'Image Height'],
        ...(isXmpHostile ? {} : { xmp: true })
      }
    })
    return { tags, problems: hasXmp && !tags.xmp?.about && !hasAny(tags.xmp) ? ['xmp_unreadable'] : [] }
  } catch (error) {
    const isAbsent = error instanceof ExifReader.errors.MetadataMissingError
    return { tags: {}, problems: [isAbsent ? 'no_metadata' : 'metadata_unreadable'] }
  }
}

const hasAny = (xmp: object | undefined) => Object.keys(xmp ?? {}).some((name) => name !== '_raw')

function countOf(bytes: Buffer, mark: string, limit: number): number {
  let count = 0
  for (let at = bytes.indexOf(mark); at >= 0 && count < limit; at = bytes.indexOf(mark, at + 1)) count++
  return count
}
