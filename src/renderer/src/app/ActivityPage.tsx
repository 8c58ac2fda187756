import { getRouteApi } from '@tanstack/react-router'
import { ActivityScreen } from '../features/activity/ActivityScreen.tsx'

const route = getRouteApi('/activity')

/** The audit trail at its address. */
export function ActivityPage() {
  const search = route.useSearch()
  const navigate = route.useNavigate()
  return (
    <ActivityScreen
      search={search}
      onSearch={(next) => void navigate({ to: '/activity', search: next, replace: true })}
    />
  )
}
