import { createClient } from '../../../client/client.ts'
import { type ApiClient, ApiError } from '../../../shared/api-client.ts'

/** The client of this page's own origin; the session cookie goes along by itself. */
export const api: ApiClient = createClient({ baseUrl: '' })

/** Whether the daemon answered that this page has no valid session. */
export function isSessionLost(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

/** Whether nothing answered at all, which says nothing about the thing that was asked for. */
export function isOutage(error: unknown): boolean {
  return !(error instanceof ApiError) || error.problem === null
}
