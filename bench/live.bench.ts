import { benchLiveLatency } from './live-latency.ts'
import { benchLiveRecordings } from './live-recordings.ts'
import { benchLiveSources } from './live-sources.ts'
import { runParts } from './parts.ts'
import type { BenchResult } from './report.ts'

export type LiveOptions = {
  quick: boolean
  /** Only this part. */
  only?: string | undefined
}

/** Streams and recordings with the real MediaMTX, part by part. Throws for a part that there is not. */
export async function benchLive(options: LiveOptions): Promise<BenchResult> {
  return runParts(
    'live',
    { sources: benchLiveSources, recordings: benchLiveRecordings, latency: benchLiveLatency },
    options
  )
}
