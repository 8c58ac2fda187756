import { queryOptions } from '@tanstack/react-query'
import { getAsset, listAssetFacets } from '../../../shared/api/assets.ts'
import { api } from './api.ts'

/** How often an asset with unfinished work is asked about: progress of a job is not an event. */
const workingIntervalMs = 2000

/** One asset with everything known about it. */
export function assetQuery(assetId: string) {
  return queryOptions({
    queryKey: [getAsset.name, assetId],
    queryFn: ({ signal }) => api.call(getAsset, { params: { assetId } }, signal),
    refetchInterval: ({ state }) =>
      state.data?.jobs.some((job) => job.state === 'queued' || job.state === 'running') ? workingIntervalMs : false
  })
}

/** What there is to filter by, and to choose tags from. */
export const assetFacetsQuery = queryOptions({
  queryKey: [listAssetFacets.name],
  queryFn: ({ signal }) => api.call(listAssetFacets, {}, signal)
})
