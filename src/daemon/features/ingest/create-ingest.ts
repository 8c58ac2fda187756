import type { Feature } from '../../feature.ts'
import { BlobKeeper } from './blob-keeper.ts'
import { BlobsRepository } from './blobs.repository.ts'
import { bindCheckBytesJob } from './check-bytes.job.ts'
import { bindFingerprintJob, type FingerprintDeps } from './fingerprint.job.ts'
import { IngestRepository, type NotedDrone } from './ingest.repository.ts'
import { IngestService, type IngestServiceDeps } from './ingest.service.ts'
import { bindMoveBlobJob, type MoveDeps } from './move-blob.job.ts'
import { bindPinBlobJob } from './pin-blob.job.ts'
import { Reconciler, type ReconcilerDeps } from './reconciler.ts'
import { bindTidyJobs } from './tidy-upload.job.ts'
import { UploadsRepository } from './uploads.repository.ts'

export type IngestDeps = Omit<IngestServiceDeps, 'repository' | 'blobs' | 'uploads'> &
  Pick<ReconcilerDeps, 'isBucketShared' | 'acceptsWorkspace' | 'onAdopted' | 'settleMs'> &
  Pick<FingerprintDeps, 'reviewPlace'> &
  Pick<MoveDeps, 'belongsAt'>

export interface IngestFeature extends Feature {
  service: IngestService
  reconciler: Reconciler
  /** Keeps the bytes that applications upload. */
  keeper: BlobKeeper
  /** The id of the drone with this serial number, made when it is new; call it inside a transaction. */
  noteDrone(drone: NotedDrone): string
}

/** How controllers' files come in, and how rows and objects stay together. */
export function createIngest(deps: IngestDeps): IngestFeature {
  const { db, store, clock } = deps
  const rows = {
    repository: new IngestRepository(db),
    blobs: new BlobsRepository(db, store.kind),
    uploads: new UploadsRepository(db, store.kind)
  }
  const service = new IngestService({ ...deps, ...rows })
  const common = { ...deps, ...rows, ingest: service }
  return {
    service,
    reconciler: new Reconciler(common),
    keeper: new BlobKeeper(common),
    noteDrone: (drone) => rows.repository.noteDevice(drone, clock.nowMs()),
    jobs: [
      bindFingerprintJob(common),
      ...bindTidyJobs(common),
      bindPinBlobJob(common),
      bindMoveBlobJob(common),
      bindCheckBytesJob(common)
    ]
  }
}
