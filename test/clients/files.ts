import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, readdir, utimes, writeFile } from 'node:fs/promises'
import { dirname, join, relative, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import type { Card } from './client.ts'

export const MIB = 1024 * 1024
const CLIP_BYTES = 17 * MIB + 5
/** The letter é as one character and as two. */
const NFC = '\u00e9'
const NFD = 'e\u0301'

/** Writes what a card holds. Every file has a time with milliseconds. */
export async function writeCard(directory: string): Promise<Card> {
  const clip = 'DCIM/100MEDIA/DJI_0004.MP4'
  const contents: Record<string, Buffer> = {
    'DJI_0001.JPG': Buffer.from('small picture'),
    'DJI 0002+(1).JPG': Buffer.from('plus, space and brackets'),
    [`composed/${NFC}.JPG`]: Buffer.from('one character'),
    [`decomposed/${NFD}.JPG`]: Buffer.from('two characters'),
    "odd/a&b=c;d'e@$,%41.txt": Buffer.from('what a query, a path or XML could stumble over'),
    'empty.txt': Buffer.alloc(0),
    [clip]: noise(0, CLIP_BYTES)
  }
  let second = 1_700_000_000.25
  for (const [path, bytes] of Object.entries(contents)) {
    const file = join(directory, path)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
    await utimes(file, second, second)
    second += 61.5
  }
  return { directory, paths: Object.keys(contents).sort(), clip }
}

/** Writes a file of that size in which no two parts are alike. */
export async function writeFilm(file: string, sizeBytes: number): Promise<void> {
  const handle = await open(file, 'w')
  try {
    for (let at = 0; at < sizeBytes; at += MIB) await handle.write(noise(at / MIB, Math.min(MIB, sizeBytes - at)))
  } finally {
    await handle.close()
  }
}

/** Bytes that follow from the number alone. */
export function noise(number: number, sizeBytes: number): Buffer {
  const block = createHash('sha512').update(String(number)).digest()
  const bytes = Buffer.alloc(sizeBytes, block)
  for (let at = 0; at < sizeBytes - 4; at += 4096) bytes.writeUInt32LE(at, at)
  return bytes
}

/** Hex SHA-256 of a file. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  return hash.digest('hex')
}

/** Paths of all files below a folder, sorted, with `/`. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(directory, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/** @throws AssertionError-like Error naming the first file that differs or is missing on either side */
export async function assertSameFiles(expected: string, actual: string): Promise<void> {
  const [wanted, got] = [await filesBelow(expected), await filesBelow(actual)]
  if (wanted.join('\n') !== got.join('\n'))
    throw new Error(`files differ: ${wanted.join(' | ')} against ${got.join(' | ')}`)
  for (const path of wanted)
    if ((await sha256OfFile(join(expected, path))) !== (await sha256OfFile(join(actual, path))))
      throw new Error(`the bytes of ${path} differ`)
}
