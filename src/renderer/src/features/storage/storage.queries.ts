import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import { getStorage, listDamagedAssets } from '../../../../shared/api/storage.ts'
import { api } from '../../lib/api.ts'

const AT_REST_MS = 15_000
const AT_WORK_MS = 2_000

/** How it stands with the store. Asked again now and then: a disk fills up without an event. */
export const storageQuery = queryOptions({
  queryKey: [getStorage.name],
  queryFn: ({ signal }) => api.call(getStorage, {}, signal),
  refetchInterval: ({ state: { data } }) =>
    data?.scrub != null && data.scrub.state !== 'idle' ? AT_WORK_MS : AT_REST_MS
})

export const damagedQuery = infiniteQueryOptions({
  queryKey: [listDamagedAssets.name],
  queryFn: ({ signal, pageParam: cursor }) =>
    api.call(listDamagedAssets, { query: { limit: 50, ...(cursor === undefined ? {} : { cursor }) } }, signal),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: ({ nextCursor }) => nextCursor ?? undefined
})
