import { createHash } from 'node:crypto'
import { copyFile, mkdir, open, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { type CardFile, createPhotoCard, tinyFingerprint } from './photo-card.ts'
import { readCard } from './read-card.ts'
import { seededRandom } from './seeded-random.ts'

/** Two cards whose files have the same names and different bytes, as two aircraft of one team bring them home. */
export type DemoCards = { alpha: CardFile[]; bravo: CardFile[] }

/** The clips are filled up to this size, so that they go up in parts. */
const CLIP_BYTES = 12 * 1024 * 1024

/** Generates both cards below `directory`: `count` photos and one video each. */
export async function generateCards(directory: string, count: number, clipBytes = CLIP_BYTES): Promise<DemoCards> {
  const card = async (name: string, seed: number, model: string) => {
    const folder = join(directory, name)
    const files = await createPhotoCard({ directory: folder, count, seed, model, previewPx: 320 })
    return Promise.all(
      files.map((file) => (isVideo(file) ? enlarge(file, Math.max(0, clipBytes - file.sizeBytes), seed) : file))
    )
  }
  return { alpha: await card('alpha', 1, 'M4E'), bravo: await card('bravo', 2, 'M3E') }
}

/** Takes the files of `photos` as one card and copies of them, a few bytes longer each, as the other. */
export async function cardsFromPhotos(photos: string, directory: string): Promise<DemoCards> {
  const found = await readCard(photos)
  // Copies of one file within a card would be one upload or two, depending on timing.
  const alpha = [...new Map(found.map((file) => [file.fingerprint, file])).values()]
  await mkdir(directory, { recursive: true })
  const bravo: CardFile[] = []
  for (const file of alpha) {
    const copy = { ...file, filePath: join(directory, file.name) }
    await copyFile(file.filePath, copy.filePath)
    bravo.push(await enlarge(copy, 64, 2))
  }
  return { alpha, bravo }
}

export const isVideo = (file: CardFile) => /\.(mp4|mov)$/i.test(file.name)

/** Appends bytes that readers of the format skip, and gives the file's new description. */
async function enlarge(file: CardFile, extraBytes: number, seed: number): Promise<CardFile> {
  if (extraBytes < 8) return file
  const random = seededRandom(seed, file.name)
  const extra = Buffer.alloc(extraBytes)
  for (let at = 0; at + 4 <= extra.length; at += 4) extra.writeUInt32LE(random.next() * 2 ** 32, at)
  if (isVideo(file)) {
    extra.writeUInt32BE(extraBytes, 0) // a `free` box (ISO/IEC 14496-12 §8.1.2)
    extra.write('free', 4, 'latin1')
  }
  const handle = await open(file.filePath, 'a')
  try {
    await handle.write(extra)
  } finally {
    await handle.close()
  }
  const md5 = createHash('md5')
    .update(await readFile(file.filePath))
    .digest('hex')
  return {
    ...file,
    sizeBytes: file.sizeBytes + extraBytes,
    fingerprint: md5.toUpperCase(),
    tinyFingerprint: tinyFingerprint(createHash('md5').update(`tiny ${md5}`).digest('hex'), file.capturedAt)
  }
}

/** Whether pictures of this file can be made without ffmpeg. */
export const isPhoto = (file: CardFile) => ['.jpg', '.jpeg', '.dng'].includes(extname(file.name).toLowerCase())
