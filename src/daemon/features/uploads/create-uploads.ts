import type { Feature } from '../../feature.ts'
import { MediaRepository } from './media.repository.ts'
import { PendingUploadsRepository } from './pending-uploads.repository.ts'
import { PendingUploadsService } from './pending-uploads.service.ts'
import { bindUploads } from './uploads.routes.ts'
import { UploadsService, type UploadsServiceDeps } from './uploads.service.ts'

/** Uploads of applications: by form, by signed link and in parts. */
export function createUploads(deps: Omit<UploadsServiceDeps, 'repository'>): Feature {
  const uploads = new UploadsService({ ...deps, repository: new MediaRepository(deps.db) })
  const pending = new PendingUploadsService({ ...deps, uploads, repository: new PendingUploadsRepository(deps.db) })
  return {
    bind: (binder) => bindUploads(binder, { service: uploads, pending }),
    upkeep: [{ name: 'uploads nobody completes', run: () => pending.sweep() }]
  }
}
