import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCopyCommand
} from '@aws-sdk/client-s3'

const MIB = 1024 ** 2
const PART_BYTES = 512 * MIB
const MIN_PART_BYTES = 5 * MIB

export type CopyInput = {
  Bucket: string
  Key: string
  CopySource: string
  CopySourceIfMatch: string
  IfMatch: string | undefined
  ContentType: string
  Metadata: Record<string, string>
}

/** The value of `x-amz-copy-source`: the SDK expects it encoded. */
export function encodeCopySource(bucket: string, key: string): string {
  return `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`
}

/** Copies an object too large for one request, part by part inside the store. Gives the ETag; raises the SDK's errors. */
export async function copyInParts(s3: S3Client, input: CopyInput, sizeBytes: number): Promise<string | undefined> {
  const { CopySource, CopySourceIfMatch, IfMatch, ContentType, Metadata, ...target } = input
  const created = await s3.send(new CreateMultipartUploadCommand({ ...target, ContentType, Metadata }))
  const upload = { ...target, UploadId: created.UploadId }
  try {
    const partBytes = Math.max(MIN_PART_BYTES, Math.min(PART_BYTES, Math.ceil(sizeBytes / 2 / MIB) * MIB))
    const Parts: { PartNumber: number; ETag: string | undefined }[] = []
    for (let start = 0; start < sizeBytes; start += partBytes) {
      const PartNumber = Parts.length + 1
      const end = Math.min(start + partBytes, sizeBytes) - 1
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          ...upload,
          PartNumber,
          CopySource,
          CopySourceIfMatch,
          CopySourceRange: `bytes=${start}-${end}`
        })
      )
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag })
    }
    return (await s3.send(new CompleteMultipartUploadCommand({ ...upload, IfMatch, MultipartUpload: { Parts } }))).ETag
  } catch (error) {
    // Whatever the abort answers, the failure of the copy is what the caller has to know; idle uploads expire on the server.
    await s3.send(new AbortMultipartUploadCommand(upload)).catch(() => {})
    throw error
  }
}
