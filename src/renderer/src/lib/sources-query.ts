import { type QueryClient, queryOptions } from '@tanstack/react-query'
import { listSources, type MediaServer, type MediaSource } from '../../../shared/api/sources.ts'
import { api } from './api.ts'

const pageSize = 500
/** The state of streams is no event. */
const statusIntervalMs = 2000

/** Every stream by name, and how the base gets on with its media server. */
export interface Sources {
  items: MediaSource[]
  server: MediaServer
}

async function allSources(withStatus: boolean, signal: AbortSignal): Promise<Sources> {
  const items: MediaSource[] = []
  let cursor: string | undefined
  for (;;) {
    const query = { with_status: withStatus ? 'true' : 'false', limit: pageSize, cursor } as const
    const page = await api.call(listSources, { query }, signal)
    items.push(...page.items)
    if (page.nextCursor === null) return { items, server: page.server }
    cursor = page.nextCursor
  }
}

/** The streams with what the media server says of them, asked again all the time while the page is looked at. */
export const liveSourcesQuery = queryOptions({
  queryKey: [listSources.name, 'status'],
  queryFn: ({ signal }) => allSources(true, signal),
  refetchInterval: statusIntervalMs
})

/** The streams alone. */
export const sourcesQuery = queryOptions({
  queryKey: [listSources.name, 'names'],
  queryFn: ({ signal }) => allSources(false, signal)
})

/** Reads the streams again; resolves when that is done. */
export function invalidateSources(client: QueryClient): Promise<void> {
  return client.invalidateQueries({ queryKey: [listSources.name] })
}
