import { type ApiClient, ApiError, createApiClient } from '../../../shared/api-client.ts'

/** The typed client of this page's own origin; the session cookie goes along by itself. */
export const api: ApiClient = createApiClient({
  baseUrl: '',
  transport: (url, { signal, ...init }) =>
    fetch(url, { ...init, ...(signal instanceof AbortSignal ? { signal } : {}), credentials: 'same-origin' })
})

/** Whether the daemon answered that this page has no valid session. */
export function isSessionLost(error: unknown): boolean {
  return error instanceof ApiError && error.status === 401
}

/** Whether nothing answered at all, which says nothing about the thing that was asked for. */
export function isOutage(error: unknown): boolean {
  return !(error instanceof ApiError) || error.problem === null
}
