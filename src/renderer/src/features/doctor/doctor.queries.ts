import { queryOptions } from '@tanstack/react-query'
import { getDoctor } from '../../../../shared/api/doctor.ts'
import { api } from '../../lib/api.ts'

/** What the base stands on, looked at each time somebody opens it: a disk or a network goes without an event. */
export const doctorQuery = queryOptions({
  queryKey: [getDoctor.name],
  queryFn: ({ signal }) => api.call(getDoctor, {}, signal),
  staleTime: 0
})
