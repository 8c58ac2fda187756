import { useEffect, useState } from 'react'
import type { AssetDetail } from '../../../shared/api/assets.ts'
import type { AssetScope } from '../features/assets/asset-search.ts'
import { useAssetList } from '../features/assets/assets.queries.ts'
import { PurgeQuestion } from '../features/assets/PurgeQuestion.tsx'
import { useBinAsset } from '../features/assets/use-bin-asset.ts'
import { Inspector, type Neighbours } from '../features/inspector/Inspector.tsx'
import { AssetReferences } from '../features/references/AssetReferences.tsx'
import { assetInUse } from '../lib/asset-in-use.ts'
import { useStore } from '../lib/store.ts'

/** How close to the end of the loaded list the next page is asked for. */
const loadAhead = 3

/** The inspector walking through the list behind it. When the asset leaves that list by what is done to it, the next one opens. */
export function AssetInspector({
  assetId,
  scope,
  onGo,
  onClose
}: {
  assetId: string
  scope: AssetScope
  onGo: (assetId: string) => void
  onClose: () => void
}) {
  const { list, assets } = useAssetList(scope)
  const { bin, restore } = useBinAsset()
  const inUse = useStore(assetInUse)
  const [purging, setPurging] = useState<AssetDetail | null>(null)

  const at = assets.findIndex(({ id }) => id === assetId)
  const neighbours: Neighbours = {
    previousId: assets[at - 1]?.id ?? null,
    nextId: at < 0 ? null : (assets[at + 1]?.id ?? null),
    index: at < 0 ? null : at,
    total: assets.length,
    more: list.hasNextPage
  }

  const { hasNextPage, isFetchingNextPage, fetchNextPage } = list
  const nearEnd = at >= 0 && at >= assets.length - loadAhead
  useEffect(() => {
    if (nearEnd && hasNextPage && !isFetchingNextPage) void fetchNextPage()
  }, [nearEnd, hasNextPage, isFetchingNextPage, fetchNextPage])

  const goOn = () => {
    const onward = neighbours.nextId ?? neighbours.previousId
    if (onward === null) onClose()
    else onGo(onward)
  }
  return (
    <>
      <Inspector
        assetId={assetId}
        neighbours={neighbours}
        place={scope.bin ? 'bin' : 'assets'}
        covered={purging !== null || inUse !== null}
        references={(asset) => <AssetReferences key={asset.id} asset={asset} />}
        onGo={onGo}
        onClose={onClose}
        onBin={async (asset) => {
          if ((await bin(asset)) && !scope.bin) goOn()
        }}
        onRestore={(asset) => {
          void restore(asset)
          if (scope.bin) goOn()
        }}
        onPurge={setPurging}
      />
      {purging && <PurgeQuestion asset={purging} onClose={() => setPurging(null)} onPurged={goOn} />}
    </>
  )
}
