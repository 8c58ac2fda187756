import { queryOptions } from '@tanstack/react-query'
import { getStoreSettings } from '../../../../shared/api/settings.ts'
import { api } from '../../lib/api.ts'

/** Settings of the store, as they hold from the next start on. */
export const storeSettingsQuery = queryOptions({
  queryKey: [getStoreSettings.name],
  queryFn: ({ signal }) => api.call(getStoreSettings, {}, signal),
  staleTime: 0
})
