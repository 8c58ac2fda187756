import { useQuery } from '@tanstack/react-query'
import { type Role, roles } from '../../../shared/api/system.ts'
import { statusQuery } from './status-query.ts'

/** Whether this session may do what takes `role`; false until the daemon has told. The daemon checks each call itself. */
export function useMay(role: Role): boolean {
  const { data } = useQuery(statusQuery)
  return data !== undefined && roles.indexOf(data.role) >= roles.indexOf(role)
}
