import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query'
import { isOutage, isSessionLost } from './api.ts'
import { session } from './session.ts'

function noticeLostSession(error: Error): void {
  if (isSessionLost(error)) session.set({ state: 'none', reason: 'ended' })
}

/** The page's one cache of server state. Live events keep it fresh; the stale time only bounds what they might miss. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({ onError: noticeLostSession }),
    mutationCache: new MutationCache({ onError: noticeLostSession }),
    defaultOptions: {
      // The base runs on this very machine: it can be reached when the browser believes to be offline.
      queries: {
        networkMode: 'always',
        staleTime: 30_000,
        retry: (count, error) => isOutage(error) && count < 3
      },
      mutations: { networkMode: 'always', retry: false }
    }
  })
}
