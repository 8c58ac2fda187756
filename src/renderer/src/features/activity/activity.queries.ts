import { infiniteQueryOptions } from '@tanstack/react-query'
import { listAudit } from '../../../../shared/api/audit.ts'
import { api } from '../../lib/api.ts'
import type { ActivitySearch } from './activity-search.ts'

const pageSize = 100
/** Not everything that is written down is also an event. */
const intervalMs = 20_000

/** The trail, page by page, newest first. */
export function activityQuery({ action }: ActivitySearch) {
  return infiniteQueryOptions({
    queryKey: [listAudit.name, { action }] as const,
    queryFn: ({ pageParam, signal }) =>
      api.call(listAudit, { query: { limit: pageSize, cursor: pageParam ?? undefined, action } }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: intervalMs
  })
}
