import { getRouteApi } from '@tanstack/react-router'
import { AssetInspector } from './AssetInspector.tsx'

const route = getRouteApi('/bin/$assetId')
const inBin = { bin: true } as const

/** The inspector at its address in the bin. */
export function BinInspectorPage() {
  const { assetId } = route.useParams()
  const navigate = route.useNavigate()
  return (
    <AssetInspector
      assetId={assetId}
      scope={inBin}
      onGo={(id) => void navigate({ to: '/bin/$assetId', params: { assetId: id }, replace: true })}
      onClose={() => void navigate({ to: '/bin' })}
    />
  )
}
