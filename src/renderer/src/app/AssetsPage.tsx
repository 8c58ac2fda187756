import { getRouteApi, Outlet, useParams } from '@tanstack/react-router'
import { AssetsScreen } from '../features/assets/AssetsScreen.tsx'

const route = getRouteApi('/assets')

/** The asset browser with the inspector above it when an asset is open. */
export function AssetsPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  const { assetId } = useParams({ strict: false })
  return (
    <>
      <AssetsScreen
        search={search}
        onSearch={(next) => void navigate({ to: '/assets', search: next, replace: true })}
        openId={assetId ?? null}
        onOpen={(id) => void navigate({ to: '/assets/$assetId', params: { assetId: id }, search })}
      />
      <Outlet />
    </>
  )
}
