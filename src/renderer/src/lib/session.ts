import { getStatus, openSession } from '../../../shared/api/system.ts'
import { ApiError } from '../../../shared/api-client.ts'
import { api, isOutage, isSessionLost } from './api.ts'
import { createStore } from './store.ts'

/** Whether this page may ask the daemon. `reason` tells why it may not. */
export type Session =
  | { state: 'opening' }
  | { state: 'open' }
  | { state: 'unreachable' }
  | { state: 'none'; reason: 'missing' | 'refused' | 'controllerToken' | 'ended' }

export const session = createStore<Session>({ state: 'opening' })

/** Takes the token out of an address fragment such as `#token=abc`; null when there is none. */
export function tokenFromFragment(fragment: string): string | null {
  return new URLSearchParams(fragment.replace(/^#/, '')).get('token') || null
}

/** Trades a bearer token for the session cookie. Answers how that ended; the same is in `session`. */
export async function openSessionWith(token: string): Promise<Session> {
  const answer = await fetch(openSession.path, {
    method: openSession.method,
    headers: { accept: 'application/json', authorization: `Bearer ${token}` },
    credentials: 'same-origin'
  }).catch(() => null)
  const next: Session =
    answer === null || answer.status >= 500
      ? { state: 'unreachable' }
      : answer.ok
        ? { state: 'open' }
        : // A valid token that is no person's.
          { state: 'none', reason: answer.status === 403 ? 'controllerToken' : 'refused' }
  session.set(next)
  return next
}

/** Takes a token that is put into the address later: opening the link in the same tab does not load the page again. */
export function followSessionLinks(): void {
  window.addEventListener('hashchange', () => {
    if (tokenFromFragment(location.hash) !== null) void startSession()
  })
}

/**
 * Opens the page's session: from the token in the address, which is removed from it once it was traded (it must not end in
 * a bookmark), else from the cookie of an earlier visit.
 */
export async function startSession(): Promise<Session> {
  const token = tokenFromFragment(location.hash)
  if (token !== null) {
    const opened = await openSessionWith(token)
    if (opened.state !== 'unreachable') history.replaceState(history.state, '', location.pathname + location.search)
    return opened
  }
  const next = await api.call(getStatus, {}).then(
    (): Session => ({ state: 'open' }),
    (error: unknown): Session => {
      if (isSessionLost(error) || (error instanceof ApiError && error.status === 403))
        return { state: 'none', reason: 'missing' }
      if (isOutage(error)) return { state: 'unreachable' }
      return { state: 'open' }
    }
  )
  session.set(next)
  return next
}
