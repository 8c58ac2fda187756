import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { listJobs } from '../../../../shared/api/jobs.ts'
import { api } from '../../lib/api.ts'

const pageSize = 50
/** Progress is no event. */
const workIntervalMs = 1500
const idleIntervalMs = 20_000

/** What runs now, and how much there is of everything; asked often while there is work. */
export const jobsAtWorkQuery = queryOptions({
  queryKey: [listJobs.name, 'running'],
  queryFn: ({ signal }) => api.call(listJobs, { query: { state: 'running', limit: pageSize } }, signal),
  refetchInterval: ({ state: { data } }) =>
    data && data.counts.running + data.counts.queued > 0 ? workIntervalMs : idleIntervalMs
})

/** Jobs that wait for a person, page by page, newest first. */
export function endedJobsQuery(state: 'dead' | 'cancelled') {
  return infiniteQueryOptions({
    queryKey: [listJobs.name, state] as const,
    queryFn: ({ pageParam, signal }) =>
      api.call(listJobs, { query: { state, limit: pageSize, cursor: pageParam ?? undefined } }, signal),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor
  })
}

/** How many gave up, for the navigation. */
export const deadJobsQuery = queryOptions({
  queryKey: [listJobs.name, 'counts'],
  queryFn: async ({ signal }) => (await api.call(listJobs, { query: { limit: 1 } }, signal)).counts.dead,
  refetchInterval: idleIntervalMs
})
