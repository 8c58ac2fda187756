import { Outlet, useNavigate, useParams } from '@tanstack/react-router'
import { BinScreen } from '../features/assets/BinScreen.tsx'

/** The bin with the inspector above it when an asset is open. */
export function BinPage() {
  const navigate = useNavigate()
  const { assetId } = useParams({ strict: false })
  return (
    <>
      <BinScreen
        openId={assetId ?? null}
        onOpen={(id) => void navigate({ to: '/bin/$assetId', params: { assetId: id } })}
      />
      <Outlet />
    </>
  )
}
