import type { ObjectStore } from '../../object-store/object-store.ts'
import { type PilotBase, type PilotBaseOptions, startPilotBase } from '../../testing/pilot-base.ts'
import { openEmbeddedStore, openExternalStore, readText } from '../../testing/test-stores.ts'
import { reportOfFoundObject, type UploadReport } from './upload-report.ts'

export const WS = 'team-one'
export const WS_B = 'team-two'
export const K = `media/${WS}/20260407/DJI_0018.JPG`

interface AssetRow {
  id: string
  blob_id: string
  damage: string | null
  name: string
  device_id: string | null
  taken_source: string
}

interface FileRow {
  fingerprint: string
  object_key: string
  head_key: string | null
  asset_id: string
  is_adopted: number
}

/** Ingest beside a store of either kind. */
export class Bench {
  readonly store: ObjectStore
  readonly base: PilotBase
  constructor(store: ObjectStore, base: PilotBase) {
    this.store = store
    this.base = base
  }
  put = (key: string, text: string) => this.store.put(key, Buffer.from(text))
  report = (fingerprint: string | null, objectKey = K, more: Partial<UploadReport> = {}): UploadReport => ({
    ...reportOfFoundObject(objectKey.split('/')[1]!, objectKey),
    fingerprint,
    ...more
  })
  record = (fingerprint: string | null, objectKey = K, more: Partial<UploadReport> = {}) =>
    this.base.ingest.recordUpload(this.report(fingerprint, objectKey, more))
  /** The key that a controller is told when it asks for a file; null when the file is wanted. */
  fastUpload = (fingerprint: string) =>
    this.base.service.fastUpload({ workspaceId: WS, controllerId: 'RC' }, { fingerprint, name: 'DJI_0018.JPG' })
  assets = () => this.base.db.prepare<unknown[], AssetRow>('SELECT * FROM asset ORDER BY id').all()
  blobs = () =>
    this.base.db.prepare<unknown[], { id: string; key: string }>('SELECT id, key FROM blob ORDER BY id').all()
  files = () =>
    this.base.db
      .prepare<unknown[], FileRow>(
        'SELECT fingerprint, object_key, head_key, asset_id, is_adopted FROM pilot_file ORDER BY id'
      )
      .all()
  events = (type: string) => this.base.outbox.readAfter(0, 1000).filter((event) => event.type === type)
  allBytes = () => Promise.all(this.assets().map(({ id }) => this.bytes(id)))
  /** The bytes an asset really has. */
  bytes = (assetId: string) => {
    const row = this.base.db
      .prepare<unknown[], { key: string; etag: string }>(
        'SELECT key, blob.etag FROM blob JOIN asset ON blob_id = blob.id WHERE asset.id = ?'
      )
      .get(assetId)!
    return readText(this.store, row.key, row.etag)
  }
}

export async function openBench(
  kind: 'local' | 's3',
  onFollowUpError?: (error: unknown) => void,
  options: Pick<PilotBaseOptions, 'clock' | 'tieringRules'> = {}
): Promise<Bench> {
  const store = kind === 'local' ? await openEmbeddedStore() : (await openExternalStore()).store
  return new Bench(store, await startPilotBase({ store, onFollowUpError, ...options }))
}
