import type { QueryClient } from '@tanstack/react-query'
import { createBatch } from '../../lib/batch.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'
import { invalidateSources } from '../../lib/sources-query.ts'

const staleSources = createBatch<QueryClient>(150, (clients) => {
  for (const client of clients) void invalidateSources(client)
})

export const sourcesLive: LiveHandler = {
  onStored(client, event) {
    if (event.type.startsWith('source.')) staleSources.add(client)
  },
  onReopen: (client) => void invalidateSources(client)
}
