import { infiniteQueryOptions, useInfiniteQuery } from '@tanstack/react-query'
import { useMemo } from 'react'
import { type AssetSummary, listAssets } from '../../../../shared/api/assets.ts'
import { api } from '../../lib/api.ts'
import type { AssetScope } from './asset-search.ts'

const pageSize = 200

/** The asset list of this scope, page by page. Live events patch it, so that it is never read again as a whole. */
export function assetListQuery({ bin, device, day, kind, tag, text }: AssetScope) {
  return infiniteQueryOptions({
    queryKey: [listAssets.name, { bin, device, day, kind, tag, text } as AssetScope] as const,
    queryFn: ({ pageParam, signal }) =>
      api.call(
        listAssets,
        {
          query: {
            limit: pageSize,
            cursor: pageParam ?? undefined,
            deviceId: device,
            day,
            kind,
            tag,
            text,
            bin: bin ? 'true' : undefined
          }
        },
        signal
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    staleTime: Number.POSITIVE_INFINITY
  })
}

/** The loaded part of the list as one run of assets, with what is needed to load more. */
export function useAssetList(scope: AssetScope) {
  const list = useInfiniteQuery(assetListQuery(scope))
  const assets = useMemo(() => {
    // An asset whose capture time changed between two pages can be in both.
    const byId = new Map<string, AssetSummary>()
    for (const page of list.data?.pages ?? []) {
      for (const asset of page.items) if (!byId.has(asset.id)) byId.set(asset.id, asset)
    }
    return [...byId.values()]
  }, [list.data])
  return { list, assets }
}
