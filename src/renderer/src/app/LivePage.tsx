import { useNavigate, useParams } from '@tanstack/react-router'
import { LiveScreen } from '../features/live/LiveScreen.tsx'

/** The wall of streams, with the player above it at the address of a stream. */
export function LivePage() {
  const navigate = useNavigate()
  const { sourceId } = useParams({ strict: false })
  return <LiveScreen openId={sourceId ?? null} onClose={() => void navigate({ to: '/live' })} />
}
