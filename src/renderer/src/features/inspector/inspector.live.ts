import type { QueryClient } from '@tanstack/react-query'
import { getAsset } from '../../../../shared/api/assets.ts'
import { createBatch } from '../../lib/batch.ts'
import { eventAssetId } from '../../lib/event-asset.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'

/** Reads one asset again, or every one that was read. */
export function invalidateAsset(client: QueryClient, assetId?: string): void {
  void client.invalidateQueries({ queryKey: assetId === undefined ? [getAsset.name] : [getAsset.name, assetId] })
}

let liveClient: QueryClient | undefined

const staleAssets = createBatch<string>(150, (ids) => {
  if (liveClient !== undefined) for (const id of ids) invalidateAsset(liveClient, id)
})

export const inspectorLive: LiveHandler = {
  onStored(client, event) {
    liveClient = client
    const assetId = eventAssetId(event)
    if (assetId !== null) staleAssets.add(assetId)
  },
  onReopen: (client, missedFacts) => {
    if (missedFacts) invalidateAsset(client)
  }
}
