import { queryOptions } from '@tanstack/react-query'
import { getStatus } from '../../../shared/api/system.ts'
import { api } from './api.ts'
import type { LiveHandler } from './live-updates.ts'

/** Addresses, store and tools. Asked again now and then: a card or disk fills up without an event. */
export const statusQuery = queryOptions({
  queryKey: [getStatus.name],
  queryFn: ({ signal }) => api.call(getStatus, {}, signal),
  refetchInterval: 20_000
})

export const statusLive: LiveHandler = {
  onReopen: (client) => void client.invalidateQueries({ queryKey: [getStatus.name] })
}
