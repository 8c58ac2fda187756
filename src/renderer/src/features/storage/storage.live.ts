import type { QueryClient } from '@tanstack/react-query'
import { getStorage, listDamagedAssets } from '../../../../shared/api/storage.ts'
import { createBatch } from '../../lib/batch.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'

/** Reads again how it stands with the store. */
export function invalidateStorage(client: QueryClient): void {
  for (const name of [getStorage.name, listDamagedAssets.name]) void client.invalidateQueries({ queryKey: [name] })
}

const stale = createBatch<QueryClient>(500, (clients) => {
  for (const client of clients) invalidateStorage(client)
})

export const storageLive: LiveHandler = {
  onStored(client, event) {
    if (event.type === 'asset.damaged' || event.type === 'asset.updated') stale.add(client)
  },
  onReopen: invalidateStorage
}
