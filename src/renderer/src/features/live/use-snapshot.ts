import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { getLiveSnapshot } from '../../../../shared/api/sources.ts'
import { endpointUrl, refusalOf } from '../../../../shared/api-client.ts'

const liveIntervalMs = 5000
const idleIntervalMs = 30_000

/** The newest picture of a stream, asked for again all the time while `isSeen`. Null members until there is one. */
export function useSnapshot(
  sourceId: string,
  { isLive, isSeen }: { isLive: boolean; isSeen: boolean }
): { url: string | null; takenAt: string | null } {
  const { data } = useQuery({
    queryKey: [getLiveSnapshot.name, sourceId],
    queryFn: ({ signal }) => fetchSnapshot(sourceId, signal),
    enabled: isSeen,
    staleTime: liveIntervalMs,
    refetchInterval: isLive ? liveIntervalMs : idleIntervalMs
  })
  return { url: useObjectUrl(data?.picture ?? null), takenAt: data?.takenAt ?? null }
}

async function fetchSnapshot(sourceId: string, signal: AbortSignal) {
  const answer = await fetch(endpointUrl(getLiveSnapshot.path, { params: { sourceId } }), {
    credentials: 'same-origin',
    signal
  })
  if (!answer.ok) throw await refusalOf(answer)
  if (answer.status === 204) return null
  const modified = Date.parse(answer.headers.get('last-modified') ?? '')
  return {
    picture: await answer.blob(),
    takenAt: Number.isNaN(modified) ? null : new Date(modified).toISOString()
  }
}

function useObjectUrl(blob: Blob | null): string | null {
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (blob === null) {
      setUrl(null)
      return
    }
    const made = URL.createObjectURL(blob)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [blob])
  return url
}
