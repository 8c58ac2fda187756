import { queryOptions } from '@tanstack/react-query'
import { getField } from '../../../../shared/api/field.ts'
import { api } from '../../lib/api.ts'

/** The tether board; live messages keep it current. */
export const fieldQuery = queryOptions({
  queryKey: [getField.name],
  queryFn: ({ signal }) => api.call(getField, {}, signal)
})
