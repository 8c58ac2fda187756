import sharp, { type Sharp, type SharpInput } from 'sharp'
import type { MediaProblem } from '../../shared/api/assets.ts'
import { messageOf } from '../errors.ts'
import { type ByteSource, withFileSource } from './byte-source.ts'
import { readEmbeddedPreviews } from './embedded-previews.ts'
import { MediaError } from './media-error.ts'
import { SNIFF_BYTES, sniffMedia } from './sniff-media.ts'

export const thumbnailFormats = ['webp', 'jpeg', 'avif'] as const
export type ThumbnailFormat = (typeof thumbnailFormats)[number]

export type Thumbnail = {
  /** The longest side asked for. */
  sizePx: number
  format: ThumbnailFormat
  bytes: Buffer
  widthPx: number
  heightPx: number
}

export type Thumbnails = {
  /** In the order of `sizesPx`. */
  thumbnails: Thumbnail[]
  /** Upright size of the picture itself. */
  source: { widthPx: number; heightPx: number }
  /** The camera's own preview was good enough. */
  fromPreview: boolean
  /** The picture could be shown only in part; its bytes are damaged. */
  damage: MediaProblem | null
}

export type ThumbnailRequest = {
  /** A file, or the bytes of a picture. */
  input: string | Buffer
  /** Longest sides wanted; smaller pictures keep their size. */
  sizesPx: number[]
  format: ThumbnailFormat
  /** Aborts between the steps; a step itself ends after 30 s. */
  signal?: AbortSignal
}

// Each job keeps to one core and the runner decides how many run; a cache of operations would only grow.
sharp.concurrency(1)
sharp.cache(false)

/** Beyond this a picture is refused. */
const MAX_PIXELS = 300e6
/** The limit for pictures that must be in memory as a whole: interlaced ones, and formats without lines. */
const MAX_WHOLE_PIXELS = 100e6
const STEP_TIMEOUT_S = 30

/**
 * Makes thumbnails: upright, sRGB, without metadata. The camera's own preview is used when it is at least as large as
 * the largest wanted and shows the same; otherwise the picture is decoded once, already shrunken where the format can,
 * and every size is made from that. Raises `MediaError` (`unreadable`, `unsupported_type`, `too_many_pixels`) and the file system's errors.
 */
export async function makeThumbnails(request: ThumbnailRequest): Promise<Thumbnails> {
  const { input } = request
  if (typeof input !== 'string') return decode(request, input)
  return withFileSource(input, async (source) => {
    if (source.sizeBytes === 0) throw new MediaError('unreadable', 'the file is empty')
    const { kind, mimeType } = sniffMedia(await source.read(0, SNIFF_BYTES))
    // The decoder would also take drawings and documents, which can refer to other files.
    if (kind !== 'image') throw new MediaError('unsupported_type', `${mimeType} is no picture`)
    return (await fromPreview(request, source)) ?? (await decode(request, input))
  })
}

async function fromPreview(request: ThumbnailRequest, file: ByteSource): Promise<Thumbnails | null> {
  const previews = await readEmbeddedPreviews(file)
  if (previews.length === 0) return null
  const source = await describe(request.input)
  const wanted = Math.min(Math.max(...request.sizesPx), Math.max(source.width, source.height))
  for (const preview of previews) {
    try {
      const shape = await describe(preview)
      const isSameShape = Math.abs(shape.width / shape.height / (source.width / source.height) - 1) < 0.01
      if (Math.max(shape.width, shape.height) < wanted || !isSameShape) continue
      const made = await render(request, preview, 'warning', source.orientation)
      return { ...made, source: upright(source), fromPreview: true, damage: null }
    } catch {
      request.signal?.throwIfAborted() // an unusable preview is as good as none
    }
  }
  return null
}

async function decode(request: ThumbnailRequest, input: SharpInput): Promise<Thumbnails> {
  const shape = await describe(input)
  const whole = shape.isProgressive || !['jpeg', 'png', 'tiff'].includes(shape.format)
  const limit = whole ? MAX_WHOLE_PIXELS : MAX_PIXELS
  if (shape.width * shape.height > limit) {
    throw new MediaError('too_many_pixels', `${shape.width} × ${shape.height} is more than ${limit / 1e6} megapixels`)
  }
  const result = { source: upright(shape), fromPreview: false }
  // A JPEG decoder tells of damage as a warning only; in other formats warnings are mostly about unknown tags.
  const strictness = shape.format === 'jpeg' ? 'warning' : 'error'
  try {
    return { ...(await render(request, input, strictness, shape.orientation)), ...result, damage: null }
  } catch (error) {
    request.signal?.throwIfAborted()
    const damage = damageOf(error)
    try {
      return { ...(await render(request, input, 'none', shape.orientation)), ...result, damage }
    } catch (cause) {
      request.signal?.throwIfAborted()
      throw unreadable(cause)
    }
  }
}

/** What the refusal of a strict decoder means, when a lenient one still shows something. */
function damageOf(error: unknown): MediaProblem | null {
  const message = messageOf(error)
  if (/premature end of JPEG image/i.test(message)) return 'truncated'
  // Bytes between segments that belong to nothing; the picture is whole.
  return /extraneous bytes before marker/i.test(message) ? null : 'corrupt'
}

/** A picture that took too long says nothing about its bytes; everything else a decoder refuses is unreadable. */
function unreadable(error: unknown): Error {
  const message = messageOf(error)
  if (/^timeout/.test(message)) return new Error('making a thumbnail took too long', { cause: error })
  return new MediaError('unreadable', message.split('\n')[0] ?? message, { cause: error })
}

type Shape = { format: string; width: number; height: number; orientation: number; isProgressive: boolean }

/** What the header says. Raises `MediaError`. */
async function describe(input: SharpInput): Promise<Shape> {
  try {
    const { format, width, height, orientation, isProgressive } = await sharp(input, {
      failOn: 'none',
      limitInputPixels: false
    }).metadata()
    return { format, width, height, orientation: orientation ?? 1, isProgressive }
  } catch (error) {
    throw unreadable(error)
  }
}

type Strictness = 'none' | 'truncated' | 'error' | 'warning'

const decoder = (input: SharpInput, failOn: Strictness) =>
  sharp(input, { failOn, limitInputPixels: MAX_PIXELS, sequentialRead: true })

/** Decodes once into the largest size, then turns, shrinks and encodes from those few pixels. */
async function render(
  request: ThumbnailRequest,
  input: SharpInput,
  failOn: Strictness,
  orientation: number
): Promise<Pick<Thumbnails, 'thumbnails'>> {
  const largest = Math.max(...request.sizesPx)
  const decoded = decoder(input, failOn)
    .resize(largest, largest, { fit: 'inside', withoutEnlargement: true })
    .toColourspace('srgb')
    .timeout({ seconds: STEP_TIMEOUT_S })
  const { data, pixels } = await raw(decoded)
  const thumbnails: Thumbnail[] = []
  for (const sizePx of request.sizesPx) {
    request.signal?.throwIfAborted()
    const upright = await turn(sharp(data, pixels), orientation)
    const small = upright.resize(sizePx, sizePx, { fit: 'inside', withoutEnlargement: true })
    const encoded = await encode(small, request.format)
      .timeout({ seconds: STEP_TIMEOUT_S })
      .toBuffer({ resolveWithObject: true })
    const { width: widthPx, height: heightPx } = encoded.info
    thumbnails.push({ sizePx, format: request.format, bytes: encoded.data, widthPx, heightPx })
  }
  return { thumbnails }
}

function encode(image: Sharp, format: ThumbnailFormat): Sharp {
  switch (format) {
    case 'webp':
      return image.webp({ quality: 80, effort: 1 })
    case 'jpeg':
      return image.flatten({ background: '#ffffff' }).jpeg({ quality: 82 })
    case 'avif':
      return image.avif({ quality: 55, effort: 3 })
  }
}

/** Turns by an EXIF orientation, which neither raw pixels nor previews carry themselves. */
async function turn(image: Sharp, orientation: number): Promise<Sharp> {
  const isMirrored = [2, 4, 5, 7].includes(orientation)
  const quarterTurns = [0, 0, 0, 2, 2, 3, 1, 1, 3][orientation] ?? 0
  // Mirrored on its own: within one pipeline the order of both is the library's choice.
  const mirrored = isMirrored ? await raw(image.flop()) : null
  const upright = mirrored ? sharp(mirrored.data, mirrored.pixels) : image
  return quarterTurns ? upright.rotate(quarterTurns * 90) : upright
}

async function raw(image: Sharp) {
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true })
  return { data, pixels: { raw: { width: info.width, height: info.height, channels: info.channels } } }
}

function upright({ width, height, orientation }: Shape): Thumbnails['source'] {
  return orientation >= 5 ? { widthPx: height, heightPx: width } : { widthPx: width, heightPx: height }
}
