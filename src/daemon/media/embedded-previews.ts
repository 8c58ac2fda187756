import { z } from 'zod'
import type { ByteSource } from './byte-source.ts'
import { type PhotoTags, readPhotoTags } from './read-tags.ts'

const MAX_PREVIEW_BYTES = 8 << 20
const MAX_PREVIEWS = 8

/**
 * The JPEG previews a camera put into a JPEG: the thumbnail of the EXIF block and the further images of CIPA DC-007
 * (multi-picture format), smallest first. They are undecoded and may be anything. None is given when the file does not
 * end as a JPEG ends: a cut-off photo must be decoded to be found out.
 */
export async function readEmbeddedPreviews(source: ByteSource): Promise<Buffer[]> {
  const photo = await readPhotoTags(source)
  if (!photo.jpeg || !(await endsAsJpeg(source))) return []
  const previews: Buffer[] = []
  const thumbnail = photo.tags.Thumbnail?.image
  if (thumbnail instanceof ArrayBuffer) previews.push(Buffer.from(thumbnail))
  for (const { offset, length } of furtherImages(photo)) {
    if (length > MAX_PREVIEW_BYTES || offset + length > source.sizeBytes) continue
    const bytes = await source.read(offset, length)
    if (bytes[0] === 0xff && bytes[1] === 0xd8) previews.push(bytes)
  }
  return previews.sort((a, b) => a.length - b.length)
}

const mpfSchema = z.object({
  mpf: z.object({
    Images: z.array(z.object({ ImageOffset: z.object({ value: z.int() }), ImageSize: z.object({ value: z.int() }) }))
  })
})

/** The images of the MPF index other than the photo itself, their offsets counted from the file's start. */
function furtherImages({ tags, jpeg }: PhotoTags): { offset: number; length: number }[] {
  const index = mpfSchema.safeParse(tags)
  if (!jpeg?.mpf || !index.success) return []
  const shift = jpeg.mpf.fileOffset - jpeg.mpf.essenceOffset
  return index.data.mpf.Images.slice(1, 1 + MAX_PREVIEWS)
    .map((image) => ({ offset: image.ImageOffset.value + shift, length: image.ImageSize.value }))
    .filter(({ offset, length }) => offset > 0 && length > 64)
}

/** Whether the last bytes that are not padding are the end-of-image marker. */
async function endsAsJpeg(source: ByteSource): Promise<boolean> {
  const tail = await source.read(Math.max(0, source.sizeBytes - 4096), 4096)
  let end = tail.length
  while (end > 2 && tail[end - 1] === 0) end--
  return end >= 2 && tail[end - 2] === 0xff && tail[end - 1] === 0xd9
}
