import { benchDelivery } from './media-delivery.ts'
import { benchLifecycle } from './media-lifecycle.ts'
import { benchUploads } from './media-uploads.ts'
import type { BenchResult, Figure } from './report.ts'

export type MediaOptions = {
  quick: boolean
  /** Only this part. */
  only?: string | undefined
  /** Size of the large file, in GB. */
  largeGb?: number | undefined
}

const parts: Record<string, (options: MediaOptions) => Promise<{ figures: Figure[]; notes: string[] }>> = {
  uploads: benchUploads,
  lifecycle: benchLifecycle,
  delivery: benchDelivery
}

/** The media service, part by part. Throws for a part that there is not. */
export async function benchMedia(options: MediaOptions): Promise<BenchResult> {
  const names = options.only === undefined ? Object.keys(parts) : [options.only]
  const result: BenchResult = { bench: 'media', figures: [], notes: [] }
  for (const name of names) {
    const part = parts[name]
    if (!part) throw new Error(`there is no part ${name}; choose from ${Object.keys(parts).join(', ')}`)
    process.stderr.write(`${name} …\n`)
    const { figures, notes } = await part(options)
    result.figures.push(...figures)
    result.notes.push(...notes)
  }
  return result
}
