import type { Feature } from '../../feature.ts'
import { MetadataRepository } from './metadata.repository.ts'
import { MetadataService, type MetadataServiceDeps } from './metadata.service.ts'

/** What files say about themselves. */
export function createMetadata(
  deps: Omit<MetadataServiceDeps, 'repository'>
): Feature & Pick<MetadataService, 'enqueue'> {
  const service = new MetadataService({ ...deps, repository: new MetadataRepository(deps.db) })
  return { enqueue: (assetId) => service.enqueue(assetId), jobs: [service.bindJob()] }
}
