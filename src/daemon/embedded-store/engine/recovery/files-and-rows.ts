import type { BlobFiles } from '../blob-files.ts'
import type { IndexDatabase } from '../index-database.ts'

export type NamelessFile = { path: string; sizeBytes: number; changedAtMs: number }

/** Payload files that no row of the index names. */
export async function* namelessFiles(db: IndexDatabase, files: BlobFiles): AsyncGenerator<NamelessFile> {
  const isKnown = db.prepare<[string]>('SELECT 1 FROM blob WHERE id = ?')
  for await (const id of files.walk()) {
    if (isKnown.get(id)) continue
    const sizeBytes = await files.sizeOf(id)
    const changedAtMs = await files.changedAtMs(id)
    // A running base may have named it, or removed it, since it was listed.
    if (sizeBytes === null || changedAtMs === null || isKnown.get(id)) continue
    yield { path: files.path(id), sizeBytes, changedAtMs: Math.round(changedAtMs) }
  }
}

/** Tells which objects lie (partly) in a payload file. */
export function objectsInFiles(db: IndexDatabase): (blobId: string) => { bucket: string; key: string }[] {
  const find = db.prepare<[string], { bucket: string; key: string }>(
    `SELECT DISTINCT bucket.name AS bucket, object.key AS key FROM extent
       JOIN object ON object.rev = extent.object_rev JOIN bucket ON bucket.id = object.bucket_id
     WHERE extent.blob_id = ? ORDER BY bucket.name, object.key`
  )
  return (blobId) => find.all(blobId)
}
