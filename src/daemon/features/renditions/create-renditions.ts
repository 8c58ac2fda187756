import type { RenditionsConfig } from '../../config/settings/renditions.ts'
import type { Feature } from '../../feature.ts'
import type { DeliveryGate } from '../delivery/delivery-gate.ts'
import { RenditionMaker, type RenditionMakerDeps } from './rendition-maker.ts'
import { RenditionOrders } from './rendition-orders.ts'
import { RenditionsRepository, type StoredRendition } from './renditions.repository.ts'
import { bindRenditions } from './renditions.routes.ts'
import { RenditionsService, type RenditionsServiceDeps } from './renditions.service.ts'

export interface RenditionsDeps extends Omit<RenditionsServiceDeps & RenditionMakerDeps, 'repository' | 'orders'> {
  config: RenditionsConfig
  gate: DeliveryGate
}

/** Everything that is made of an asset to be looked at. */
export interface RenditionsFeature extends Feature {
  start(): void
  /** See `RenditionsService`. */
  enqueue(assetId: string): void
  release(assetId: string): void
  isInUse(key: string): boolean
  findPicture(assetId: string, sizePx: number): Promise<StoredRendition>
  /** See `RenditionOrders`. */
  noteCodec(assetId: string): void
}

export function createRenditions(deps: RenditionsDeps): RenditionsFeature {
  const repository = new RenditionsRepository(deps.db)
  const orders = new RenditionOrders({ ...deps, repository })
  const service = new RenditionsService({ ...deps, repository, orders })
  const maker = new RenditionMaker({ ...deps, repository })
  return {
    bind: (binder) => bindRenditions(binder, { ...deps, service, orders }),
    jobs: [service.bindJob(), ...maker.bindJobs()],
    start() {
      service.enqueueWaiting()
      orders.enqueueWaiting()
    },
    enqueue: (assetId) => service.enqueue(assetId),
    release: (assetId) => service.release(assetId),
    isInUse: (key) => service.isInUse(key),
    findPicture: (assetId, sizePx) => service.find(assetId, sizePx, undefined),
    noteCodec: (assetId) => orders.noteCodec(assetId)
  }
}
