import type { QueryClient } from '@tanstack/react-query'
import { listJobs } from '../../../../shared/api/jobs.ts'
import { createBatch } from '../../lib/batch.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'

/** Reads again what is known of jobs. */
export function invalidateJobs(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: [listJobs.name] })
}

const staleJobs = createBatch<QueryClient>(300, (clients) => {
  for (const client of clients) invalidateJobs(client)
})

export const jobsLive: LiveHandler = {
  onStored(client, event) {
    if (event.type === 'job.dead') staleJobs.add(client)
  },
  onReopen: invalidateJobs
}
