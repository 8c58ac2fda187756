import type { Feature } from '../../feature.ts'
import { DeletionsRepository } from './deletions.repository.ts'
import { bindDeletions } from './deletions.routes.ts'
import { DeletionsService, type DeletionsServiceDeps } from './deletions.service.ts'

export interface DeletionsFeature extends Feature {
  /** See `DeletionsService`. */
  accept: DeletionsService['accept']
}

/** Lets go of assets when other systems say that they do not need them any more. */
export function createDeletions(deps: Omit<DeletionsServiceDeps, 'repository'>): DeletionsFeature {
  const repository = new DeletionsRepository(deps.db)
  const service = new DeletionsService({ ...deps, repository })
  return {
    accept: (event) => service.accept(event),
    bind: (binder) => bindDeletions(binder, { service, repository }),
    jobs: [service.bindJob()],
    upkeep: [
      { name: 'deletions that are due', run: (signal) => service.run(signal) },
      { name: 'deletions long over', run: (signal) => service.forget(signal) }
    ]
  }
}
