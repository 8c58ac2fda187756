import type { QueryClient } from '@tanstack/react-query'
import { createBatch } from '../../lib/batch.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'
import { invalidateRecordings } from './recordings.queries.ts'

const staleRecordings = createBatch<QueryClient>(300, (clients) => {
  for (const client of clients) void invalidateRecordings(client)
})

export const recordingsLive: LiveHandler = {
  onStored(client, event) {
    if (/^(recording\.|clip\.|source\.deleted$)/.test(event.type)) staleRecordings.add(client)
  },
  onReopen: (client, missedFacts) => {
    if (missedFacts) void invalidateRecordings(client)
  }
}
