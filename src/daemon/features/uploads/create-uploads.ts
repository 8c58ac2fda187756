import type { UploadConfig } from '../../config/settings/uploads.ts'
import type { Feature } from '../../feature.ts'
import { AppendedUploadsService } from './appended-uploads.service.ts'
import { MediaRepository } from './media.repository.ts'
import { PendingUploadsRepository } from './pending-uploads.repository.ts'
import { PendingUploadsService } from './pending-uploads.service.ts'
import { bindTus } from './tus.routes.ts'
import { UploadLimits } from './upload-limits.ts'
import { UploadTails } from './upload-tails.ts'
import { bindUploads } from './uploads.routes.ts'
import { UploadsService, type UploadsServiceDeps } from './uploads.service.ts'

export interface UploadsDeps extends Omit<UploadsServiceDeps, 'repository' | 'limits'> {
  config: UploadConfig
  /** Folder for bytes that fill no part yet. */
  tailsDir: string
}

export interface UploadsFeature extends Feature, Pick<UploadsService, 'storeOwn'> {}

/** Uploads of applications: by form, by signed link, in parts and by tus. */
export function createUploads(deps: UploadsDeps): UploadsFeature {
  const common = { ...deps, limits: new UploadLimits(deps.config) }
  const uploads = new UploadsService({ ...common, repository: new MediaRepository(deps.db) })
  const repository = new PendingUploadsRepository(deps.db)
  const pending = new PendingUploadsService({ ...common, uploads, repository })
  const tails = new UploadTails(deps.tailsDir)
  const appended = new AppendedUploadsService({ ...common, repository, pending, tails })
  return {
    storeOwn: (source, file, onStored) => uploads.storeOwn(source, file, onStored),
    bind(binder) {
      bindUploads(binder, { service: uploads, pending })
      bindTus(binder, { ...common, pending, appended })
    },
    upkeep: [
      { name: 'uploads nobody completes', run: (signal) => pending.sweep(signal) },
      { name: 'tails of uploads that are over', run: (signal) => appended.sweep(signal) }
    ]
  }
}
