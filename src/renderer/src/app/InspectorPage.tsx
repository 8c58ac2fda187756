import { getRouteApi } from '@tanstack/react-router'
import { AssetInspector } from './AssetInspector.tsx'

const route = getRouteApi('/assets/$assetId')

/** The inspector at its address among the assets. */
export function InspectorPage() {
  const { assetId } = route.useParams()
  const search = route.useSearch()
  const navigate = route.useNavigate()
  return (
    <AssetInspector
      assetId={assetId}
      scope={search}
      onGo={(id) => void navigate({ to: '/assets/$assetId', params: { assetId: id }, search, replace: true })}
      onClose={() => void navigate({ to: '/assets', search })}
    />
  )
}
