import { benchDelivery } from './media-delivery.ts'
import { benchLifecycle } from './media-lifecycle.ts'
import { benchUploads } from './media-uploads.ts'
import { runParts } from './parts.ts'
import type { BenchResult } from './report.ts'

export type MediaOptions = {
  quick: boolean
  /** Only this part. */
  only?: string | undefined
  /** Size of the large file, in GB. */
  largeGb?: number | undefined
}

/** The media service, part by part. Throws for a part that there is not. */
export async function benchMedia(options: MediaOptions): Promise<BenchResult> {
  return runParts('media', { uploads: benchUploads, lifecycle: benchLifecycle, delivery: benchDelivery }, options)
}
