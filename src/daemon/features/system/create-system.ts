import type { Clock } from '../../clock.ts'
import type { ListenAddress } from '../../config/settings/listeners.ts'
import type { RetentionConfig } from '../../config/settings/retention.ts'
import type { StoreConfig } from '../../config/settings/store.ts'
import type { Feature } from '../../feature.ts'
import { bindHealth } from './health.routes.ts'
import { bindSystem } from './system.routes.ts'
import { reachableUrls, type StoreMonitor, storeUrls } from './system.service.ts'
import { tokenCommandOf } from './token-command.ts'

export interface SystemDeps {
  version: string
  /** The folder of our package.json. */
  root: string
  dataDir: string
  clock: Clock
  storeMonitor: StoreMonitor
  storeConfig: StoreConfig
  retention: RetentionConfig
  ffmpegPath: string | null
  controllersCanPair: () => boolean
  /** Where the listeners are now; null: not open. */
  addresses: () => { field: ListenAddress; s3: ListenAddress | null }
  /** Every number as Prometheus reads it. */
  scrape: () => Promise<string>
  /** Whether the program is on its way out. */
  isStopping: () => boolean
}

/** What this base says of itself: to people, and to the machines that watch it. */
export function createSystem(deps: SystemDeps): Feature {
  const { root, dataDir, storeConfig } = deps
  return {
    bind(binder) {
      bindHealth(binder, deps)
      bindSystem(binder, {
        ...deps,
        tokenCommand: tokenCommandOf({ root, dataDir, platform: process.platform }),
        addresses: () => {
          const { field, s3 } = deps.addresses()
          return { fieldUrls: reachableUrls(field), s3Urls: storeUrls(storeConfig, s3) }
        }
      })
    }
  }
}
