import { getRouteApi } from '@tanstack/react-router'
import { useEffect } from 'react'
import { useAssetList } from '../features/assets/assets.queries.ts'
import { useBinAsset } from '../features/assets/use-bin-asset.ts'
import { Inspector, type Neighbours } from '../features/inspector/Inspector.tsx'

const route = getRouteApi('/assets/$assetId')

/** How close to the end of the loaded list the next page is asked for. */
const loadAhead = 3

/** The inspector at its address, walking through the list behind it. */
export function InspectorPage() {
  const { assetId } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { list, assets } = useAssetList(search)
  const { bin, restore } = useBinAsset()

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

  const go = (id: string) => void navigate({ to: '/assets/$assetId', params: { assetId: id }, search, replace: true })
  const close = () => void navigate({ to: '/assets', search })
  return (
    <Inspector
      assetId={assetId}
      neighbours={neighbours}
      onGo={go}
      onClose={close}
      onBin={(asset) => {
        const onward = neighbours.nextId ?? neighbours.previousId
        void bin(asset)
        if (onward === null) close()
        else go(onward)
      }}
      onRestore={(asset) => void restore(asset)}
    />
  )
}
