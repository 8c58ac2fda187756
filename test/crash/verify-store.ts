import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  GetObjectCommand,
  ListMultipartUploadsCommand,
  NoSuchKey,
  paginateListObjectsV2,
  paginateListParts,
  type S3Client
} from '@aws-sdk/client-s3'
import { isSame, tell, type Version } from './key-history.ts'
import { BUCKET, type StoreLoad, type Upload } from './store-load.ts'

const READERS = 4

/**
 * Holds a store that was started again against the account of what was asked for and answered, and brings the account up to date
 * with what turns out to have happened. Gives what should not be.
 */
export async function verifyStore(s3: S3Client, load: StoreLoad): Promise<string[]> {
  const problems = await verifyUploads(s3, load)
  const found = new Set<string>()
  const keys = [...load.histories.keys()]
  const readers = Array.from({ length: READERS }, async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) {
      const there = await verifyKey(s3, load, key, problems)
      if (there) found.add(key)
    }
  })
  await Promise.all(readers)
  for await (const { Contents = [] } of paginateListObjectsV2({ client: s3 }, { Bucket: BUCKET }))
    for (const { Key = '' } of Contents) if (!found.delete(Key)) problems.push(`${Key} is listed and cannot be read`)
  for (const key of found) problems.push(`${key} can be read and is not listed`)
  return problems
}

/** Reads the object and compares; gives whether there is one. */
async function verifyKey(s3: S3Client, load: StoreLoad, key: string, problems: string[]): Promise<boolean> {
  const history = load.histories.get(key)!
  const found = await read(s3, key)
  if (found instanceof Error) {
    problems.push(`${key} cannot be read: ${found}`)
    return false
  }
  const match = history.possible().find((version) => isSame(version, found))
  if (match === undefined) problems.push(`${key}: there is ${tell(found)}, but there should be ${history.tell()}`)
  history.settle(match ?? found)
  return found !== null
}

async function read(s3: S3Client, key: string): Promise<Version | Error> {
  try {
    const {
      Body,
      ETag = '',
      ContentType = '',
      Metadata = {}
    } = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }))
    const bytes = Buffer.from(await Body!.transformToByteArray())
    return { bytes, etag: ETag.replaceAll('"', ''), contentType: ContentType, stamp: Metadata['stamp'] ?? '' }
  } catch (error) {
    if (error instanceof NoSuchKey) return null
    return error instanceof Error ? error : new Error(String(error))
  }
}

async function verifyUploads(s3: S3Client, load: StoreLoad): Promise<string[]> {
  const problems: string[] = []
  const listed = await listUploads(s3)
  for (const upload of load.uploads) {
    const isOpen = listed.delete(upload.uploadId)
    if (isOpen) problems.push(...(await verifyParts(s3, upload)))
    else if (upload.ending === null) problems.push(`${upload.key}: an upload that nobody ended is gone`)
    await settleEnding(s3, load, upload, isOpen)
  }
  for (const [uploadId, key] of listed) {
    if (load.unansweredUploads-- <= 0) problems.push(`${key}: an upload that was ended, or that nobody began, is there`)
    const parts = await listParts(s3, { key, uploadId })
    if (parts.size > 0) problems.push(`${key}: an upload that nobody knows has parts`)
    await s3.send(new AbortMultipartUploadCommand({ Bucket: BUCKET, Key: key, UploadId: uploadId }))
  }
  load.unansweredUploads = 0
  return problems
}

/** An end that was not answered has happened exactly if the upload is gone; a completion that has answers a repeat alike. */
async function settleEnding(s3: S3Client, load: StoreLoad, upload: Upload, isOpen: boolean): Promise<void> {
  const { key, uploadId, ending } = upload
  const history = load.histories.get(key)!
  if (!isOpen) load.uploads.delete(upload)
  if (ending?.write && isOpen) history.refuse(ending.write)
  if (ending?.write && !isOpen) {
    await s3.send(
      new CompleteMultipartUploadCommand({
        Bucket: BUCKET,
        Key: key,
        UploadId: uploadId,
        MultipartUpload: { Parts: ending.listed }
      })
    )
    history.acknowledge(ending.write)
  }
  upload.ending = null
}

/** Every acknowledged part is there, or one that was sent over it; nothing else is. */
async function verifyParts(s3: S3Client, upload: Upload): Promise<string[]> {
  const problems: string[] = []
  const listed = await listParts(s3, upload)
  for (const [number, slot] of upload.parts) {
    const part = listed.get(number)
    listed.delete(number)
    const known = [slot.acknowledged, ...slot.underWay].find(
      (each) => each?.etag === part?.etag && each?.bytes.length === part?.sizeBytes
    )
    if (known === undefined) problems.push(`${upload.key}: part ${number} is ${JSON.stringify(part)}`)
    slot.acknowledged = known ?? null
    slot.underWay = []
  }
  for (const number of listed.keys()) problems.push(`${upload.key}: nobody sent part ${number}`)
  return problems
}

async function listUploads(s3: S3Client): Promise<Map<string, string>> {
  const { Uploads = [], IsTruncated } = await s3.send(new ListMultipartUploadsCommand({ Bucket: BUCKET }))
  if (IsTruncated) throw new Error('there are more uploads than the load can have begun')
  return new Map(Uploads.map(({ UploadId = '', Key = '' }) => [UploadId, Key]))
}

async function listParts(
  s3: S3Client,
  { key, uploadId }: { key: string; uploadId: string }
): Promise<Map<number, { etag: string; sizeBytes: number }>> {
  const parts = new Map<number, { etag: string; sizeBytes: number }>()
  const request = { Bucket: BUCKET, Key: key, UploadId: uploadId }
  for await (const { Parts = [] } of paginateListParts({ client: s3 }, request))
    for (const { PartNumber = 0, ETag = '', Size = 0 } of Parts)
      parts.set(PartNumber, { etag: ETag.replaceAll('"', ''), sizeBytes: Size })
  return parts
}
