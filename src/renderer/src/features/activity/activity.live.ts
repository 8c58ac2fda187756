import type { QueryClient } from '@tanstack/react-query'
import { listAudit } from '../../../../shared/api/audit.ts'
import type { EventType } from '../../../../shared/api/events.ts'
import { createBatch } from '../../lib/batch.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'

const writtenDown: ReadonlySet<EventType> = new Set([
  'asset.binned',
  'asset.restored',
  'asset.purged',
  'asset.references'
])

const staleTrails = createBatch<QueryClient>(500, (clients) => {
  for (const client of clients) void client.invalidateQueries({ queryKey: [listAudit.name] })
})

export const activityLive: LiveHandler = {
  onStored(client, event) {
    if (writtenDown.has(event.type)) staleTrails.add(client)
  },
  onReopen: (client) => staleTrails.add(client)
}
