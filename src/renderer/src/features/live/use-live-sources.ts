import { useQuery } from '@tanstack/react-query'
import { connection } from '../../lib/live-updates.ts'
import { liveSourcesQuery } from '../../lib/sources-query.ts'
import { useStore } from '../../lib/store.ts'

/** The streams for a screen. While the base does not tell of them (`isStale`), what they do is not known, whatever it was before. */
export function useLiveSources() {
  const sources = useQuery(liveSourcesQuery)
  const lost = useStore(connection).state === 'lost'
  const isStale = lost || sources.isError
  const items = sources.data?.items.map((source) => (isStale ? { ...source, status: null } : source))
  return { sources, items, isStale }
}
