import { z } from 'zod'
import { defineJob } from '../../jobs/define-job.ts'

/** Learns the SHA-256 of a blob and merges it with an older blob of the same bytes. */
export const fingerprintJob = defineJob({
  name: 'ingest.fingerprint',
  payload: z.object({ blobId: z.string(), assetId: z.string() }),
  lane: 'io',
  priority: 10,
  maxAttempts: 8,
  // A video of 100 GB from a slow external store.
  timeoutMs: 3 * 3600_000,
  dedupeKey: ({ blobId }) => blobId,
  assetId: ({ assetId }) => assetId
})

/** Looks whether the bytes of the blobs kept at a key are still there. */
export const checkBytesJob = defineJob({
  name: 'ingest.check-bytes',
  payload: z.object({ key: z.string() }),
  lane: 'io',
  priority: 5,
  maxAttempts: 8,
  timeoutMs: 60_000,
  dedupeKey: ({ key }) => key
})

/** Brings an uploaded object in line with the catalogue: shares its bytes, or removes it. */
export const tidyUploadJob = defineJob({
  name: 'ingest.tidy-upload',
  payload: z.object({ workspaceId: z.string(), objectKey: z.string(), etag: z.string() }),
  lane: 'io',
  priority: 40,
  maxAttempts: 8,
  timeoutMs: 60_000,
  dedupeKey: ({ workspaceId, objectKey, etag }) => `${workspaceId} ${etag} ${objectKey}`
})

/** Copies a blob's bytes to a key of ours. Its row is the note that the copy may exist although nothing says so yet. */
export const pinBlobJob = defineJob({
  name: 'ingest.pin-blob',
  payload: z.object({ blobId: z.string(), key: z.string() }),
  lane: 'io',
  maxAtOnce: 1,
  priority: 30,
  maxAttempts: 8,
  // A video of 100 GB that an external store copies part by part.
  timeoutMs: 3 * 3600_000,
  dedupeKey: ({ blobId }) => blobId
})

/** Moves a blob's bytes into the archive or out of it. Its row is the note that the copy may exist, as above. */
export const moveBlobJob = defineJob({
  name: 'ingest.move-blob',
  payload: z.object({ blobId: z.string(), key: z.string() }),
  lane: 'io',
  maxAtOnce: 1,
  priority: 70,
  maxAttempts: 8,
  timeoutMs: 3 * 3600_000,
  dedupeKey: ({ blobId, key }) => `${blobId} ${key}`
})

/** Removes an object that no blob needs any more. */
export const discardObjectJob = defineJob({
  name: 'ingest.discard-object',
  payload: z.object({ key: z.string(), etag: z.string() }),
  lane: 'io',
  priority: 40,
  maxAttempts: 8,
  timeoutMs: 60_000,
  dedupeKey: ({ key, etag }) => `${etag} ${key}`
})
