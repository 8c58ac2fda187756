import type { UploadConfig } from '../../config/schema.ts'
import type { Feature } from '../../feature.ts'
import { MediaRepository } from './media.repository.ts'
import { PendingUploadsRepository } from './pending-uploads.repository.ts'
import { PendingUploadsService } from './pending-uploads.service.ts'
import { UploadLimits } from './upload-limits.ts'
import { bindUploads } from './uploads.routes.ts'
import { UploadsService, type UploadsServiceDeps } from './uploads.service.ts'

export interface UploadsDeps extends Omit<UploadsServiceDeps, 'repository' | 'limits'> {
  config: UploadConfig
}

/** Uploads of applications: by form, by signed link and in parts. */
export function createUploads(deps: UploadsDeps): Feature {
  const common = { ...deps, limits: new UploadLimits(deps.config) }
  const uploads = new UploadsService({ ...common, repository: new MediaRepository(deps.db) })
  const pending = new PendingUploadsService({ ...common, uploads, repository: new PendingUploadsRepository(deps.db) })
  return {
    bind: (binder) => bindUploads(binder, { service: uploads, pending }),
    upkeep: [{ name: 'uploads nobody completes', run: () => pending.sweep() }]
  }
}
