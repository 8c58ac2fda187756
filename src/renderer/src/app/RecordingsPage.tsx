import { getRouteApi, useNavigate, useParams } from '@tanstack/react-router'
import { RecordingsScreen } from '../features/recordings/RecordingsScreen.tsx'

const route = getRouteApi('/recordings')

/** The recordings of a stream on a day, both as the address says. */
export function RecordingsPage() {
  const { day } = route.useSearch()
  const navigate = useNavigate()
  const { sourceId } = useParams({ strict: false })
  return (
    <RecordingsScreen
      sourceId={sourceId ?? null}
      day={day ?? null}
      onGo={(id, nextDay) =>
        void navigate({
          to: '/recordings/$sourceId',
          params: { sourceId: id },
          search: nextDay === null ? {} : { day: nextDay },
          replace: true
        })
      }
    />
  )
}
