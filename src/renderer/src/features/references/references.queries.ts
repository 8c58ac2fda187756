import { infiniteQueryOptions } from '@tanstack/react-query'
import { listReferences } from '../../../../shared/api/references.ts'
import { api } from '../../lib/api.ts'

const pageSize = 50

/** Who uses an asset, page by page, oldest first; `onlyHolding` leaves out who merely mentions it. */
export function referencesQuery(assetId: string, { onlyHolding }: { onlyHolding: boolean }) {
  return infiniteQueryOptions({
    queryKey: [listReferences.name, assetId, { onlyHolding }] as const,
    queryFn: ({ pageParam, signal }) =>
      api.call(
        listReferences,
        {
          params: { assetId },
          query: { limit: pageSize, cursor: pageParam ?? undefined, kind: onlyHolding ? 'strong' : undefined }
        },
        signal
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor
  })
}
