import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { crc32c } from '@node-rs/crc32'
import { z } from 'zod'
import { storedHeaders, userMetadata } from '../object-rows.ts'

const wholeNumber = z.number().int().nonnegative()

/** One object as it was after a commit; null: the key was empty. */
const recordedObject = z.object({
  rev: z.string(),
  sizeBytes: wholeNumber,
  etag: z.string(),
  lastModifiedMs: wholeNumber,
  sha256: z.string().nullable(),
  checksumAlgorithm: z.enum(['CRC32', 'CRC32C', 'CRC64NVME', 'SHA1', 'SHA256']).nullable(),
  checksumType: z.enum(['FULL_OBJECT', 'COMPOSITE']).nullable(),
  checksumValue: z.string().nullable(),
  headers: storedHeaders,
  metadata: userMetadata,
  parts: z.array(z.object({ number: wholeNumber, sizeBytes: wholeNumber, checksum: z.string().nullable() })).nullable(),
  extents: z.array(
    z.object({
      blobId: z.string(),
      offsetBytes: wholeNumber,
      lengthBytes: wholeNumber,
      blobSizeBytes: wholeNumber,
      sha256: z.string(),
      md5: z.string(),
      crc32c: z.string()
    })
  )
})

const recoveryRecord = z.discriminatedUnion('what', [
  /**
   * The first of a log. `fromNothing`: there was no bucket yet, so nothing came before it. `commit`: the last one that came before it.
   * `hasGap`: the logs before it do not tell all. Older programs wrote neither.
   */
  z.object({
    what: z.literal('begin'),
    storeId: z.string(),
    atMs: z.number(),
    fromNothing: z.boolean(),
    commit: wholeNumber.default(0),
    hasGap: z.boolean().default(false)
  }),
  /** Behind all that a commit, or several, changed: their numbers, which the index counts. */
  z.object({ what: z.literal('commit'), first: wholeNumber, last: wholeNumber }),
  z.object({
    what: z.literal('bucket'),
    name: z.string(),
    bucket: z.object({ owner: z.string(), createdAtMs: z.number(), corsJson: z.string().nullable() }).nullable()
  }),
  z.object({
    what: z.literal('object'),
    bucket: z.string(),
    owner: z.string(),
    key: z.string(),
    object: recordedObject.nullable()
  })
])

/** A line of a log. Of a bucket or object it says how it is now, whatever it was before: of several, the last one holds. */
export type RecoveryRecord = z.infer<typeof recoveryRecord>
export type RecordedObject = z.infer<typeof recordedObject>

/** A line of a log: a checksum (CRC-32C, hex) and JSON. */
export function lineOf(record: RecoveryRecord): string {
  // Two characters that JSON leaves as they are and that end a line where lines are read.
  const json = JSON.stringify(record).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  return `${sumOf(json)} ${json}\n`
}

/** A log, or the rest of one, that the disk does not give back. */
export class UnreadableLog extends Error {
  override name = 'UnreadableLog'
}

/** The records of a log, and `null` for a line that is torn or was changed. Raises `UnreadableLog`. */
export async function* readLog(path: string): AsyncGenerator<RecoveryRecord | null> {
  const file = createReadStream(path)
  try {
    const lines = createInterface({ input: file, crlfDelay: Number.POSITIVE_INFINITY })
    for await (const line of lines) if (line !== '') yield recordOf(line)
  } catch (error) {
    throw new UnreadableLog(`${path} cannot be read.`, { cause: error })
  } finally {
    // Whoever needs the first line alone leaves it open otherwise.
    file.destroy()
  }
}

/** What the first line of a log says; null: it cannot be read, or is missing. */
export async function beginOf(path: string): Promise<Extract<RecoveryRecord, { what: 'begin' }> | null> {
  try {
    for await (const record of readLog(path)) return record?.what === 'begin' ? record : null
  } catch (error) {
    if (!(error instanceof UnreadableLog)) throw error
  }
  return null
}

/** What a line (without its end) says; null: it is torn or was changed. */
export function recordOf(line: string): RecoveryRecord | null {
  const [sum, json] = [line.slice(0, 8), line.slice(9)]
  if (sum !== sumOf(json)) return null
  return recoveryRecord.safeParse(parseJson(json)).data ?? null
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function sumOf(json: string): string {
  return crc32c(json).toString(16).padStart(8, '0')
}
