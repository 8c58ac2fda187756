import type { QueryClient, QueryKey } from '@tanstack/react-query'
import { getAsset, listAssetFacets, listAssets } from '../../../../shared/api/assets.ts'
import type { StoredEvent } from '../../../../shared/api/events.ts'
import { ApiError } from '../../../../shared/api-client.ts'
import { api } from '../../lib/api.ts'
import { createBatch } from '../../lib/batch.ts'
import { eventAssetId } from '../../lib/event-asset.ts'
import type { LiveHandler } from '../../lib/live-updates.ts'
import { type AssetPages, withAsset, withoutAssets } from './asset-list-cache.ts'
import { assetScopeSchema, belongsToList, type ListedAsset } from './asset-search.ts'

/** Above this many changes at once, reading the list again is cheaper than asking for each asset. */
const patchLimit = 60
const facetEvents: ReadonlySet<StoredEvent['type']> = new Set([
  'asset.arrived',
  'asset.updated',
  'asset.binned',
  'asset.restored',
  'asset.purged'
])

/** Changed assets that could not be asked for. */
const unread = new Set<string>()

/** Reads lists and filter choices again. */
export function invalidateAssets(client: QueryClient): void {
  void client.invalidateQueries({ queryKey: [listAssets.name] })
  void client.invalidateQueries({ queryKey: [listAssetFacets.name] })
}

/** Puts the newest state of one asset into every list it belongs to, and takes it out of the others. */
export function patchAsset(client: QueryClient, asset: ListedAsset): void {
  for (const [queryKey, pages] of loadedLists(client)) {
    const scope = assetScopeSchema.parse(queryKey[1])
    const next = belongsToList(scope, asset) ? withAsset(pages, asset) : withoutAssets(pages, new Set([asset.id]))
    if (next !== pages) client.setQueryData(queryKey, next)
  }
}

/** Takes assets out of every list at once. */
export function removeAssets(client: QueryClient, assetIds: ReadonlySet<string>): void {
  for (const [queryKey, pages] of loadedLists(client)) {
    const next = withoutAssets(pages, assetIds)
    if (next !== pages) client.setQueryData(queryKey, next)
  }
}

/** Asks for one asset and patches the lists with it. After an outage it is asked for again once the stream is back. */
export async function refreshAsset(client: QueryClient, assetId: string): Promise<void> {
  try {
    patchAsset(client, await api.call(getAsset, { params: { assetId } }))
  } catch (error) {
    if (error instanceof ApiError && error.problem?.code === 'asset_not_found') removeAssets(client, new Set([assetId]))
    else unread.add(assetId)
  }
}

function loadedLists(client: QueryClient): [QueryKey, AssetPages][] {
  return client
    .getQueriesData<AssetPages>({ queryKey: [listAssets.name] })
    .filter((entry): entry is [QueryKey, AssetPages] => entry[1] !== undefined)
}

let liveClient: QueryClient | undefined

const changedAssets = createBatch<string>(250, (ids) => {
  const client = liveClient
  if (client === undefined || loadedLists(client).length === 0) return
  if (ids.size > patchLimit) void client.invalidateQueries({ queryKey: [listAssets.name] })
  else void refreshInTurn(client, [...ids])
})

/** Nothing is left to ask for. */
const purgedAssets = createBatch<string>(250, (ids) => {
  if (liveClient !== undefined) removeAssets(liveClient, ids)
})

const staleFacets = createBatch<QueryClient>(1000, (clients) => {
  for (const client of clients) void client.invalidateQueries({ queryKey: [listAssetFacets.name] })
})

async function refreshInTurn(client: QueryClient, ids: string[]): Promise<void> {
  const next = async (): Promise<void> => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) await refreshAsset(client, id)
  }
  await Promise.all([next(), next(), next()])
}

export const assetsLive: LiveHandler = {
  onStored(client, event) {
    liveClient = client
    const assetId = eventAssetId(event)
    if (assetId !== null) (event.type === 'asset.purged' ? purgedAssets : changedAssets).add(assetId)
    if (facetEvents.has(event.type)) staleFacets.add(client)
  },
  onReopen: (client, missedFacts) => {
    liveClient = client
    if (missedFacts) invalidateAssets(client)
    else for (const assetId of unread) changedAssets.add(assetId)
    unread.clear()
  }
}
