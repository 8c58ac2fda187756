import type { QueryClient } from '@tanstack/react-query'
import { listReferences } from '../../../../shared/api/references.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'

/** Reads the references of one asset again, or all that were read. */
export function invalidateReferences(client: QueryClient, assetId?: string): void {
  void client.invalidateQueries({
    queryKey: assetId === undefined ? [listReferences.name] : [listReferences.name, assetId]
  })
}

export const referencesLive: LiveHandler = {
  onStored(client, event) {
    if (event.type === 'asset.references') invalidateReferences(client, event.subject)
  },
  onReopen: (client, missedFacts) => {
    if (missedFacts) invalidateReferences(client)
  }
}
