import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import {
  type AssetSummary,
  getAsset,
  getMedia,
  getThumbnail,
  listAssets,
  previewSizesPx
} from '../shared/api/assets.ts'
import { getField } from '../shared/api/field.ts'
import { listJobs } from '../shared/api/jobs.ts'
import { endpointUrl } from '../shared/api-client.ts'
import { type AdminAccess, everyItem } from './admin-access.ts'
import type { CardFile } from './photo-card.ts'

/** What the catalogue holds, counted from outside. `thumbnails` counts assets that have every preview size. */
export type CatalogueCounts = {
  assets: number
  blobs: number
  thumbnails: number
  videos: number
  failures: number
}

const POLL_MS = 100

/**
 * Waits until no job is queued or running. Raises when nothing moves for `patienceMs`, or when a job gave up.
 */
export async function waitUntilIdle(admin: AdminAccess, patienceMs = 60_000): Promise<void> {
  let last = ''
  let movedAt = performance.now()
  for (;;) {
    const { counts } = await admin.api.call(listJobs, { query: { limit: 1 } })
    if (counts.dead > 0) {
      const { items } = await admin.api.call(listJobs, { query: { state: 'dead' } })
      throw new Error(`jobs gave up: ${items.map((job) => `${job.name}: ${job.errorMessage}`).join('; ')}`)
    }
    if (counts.queued + counts.running === 0) return
    const now = JSON.stringify(counts)
    if (now !== last) movedAt = performance.now()
    else if (performance.now() - movedAt > patienceMs) throw new Error(`jobs stand still: ${now}`)
    last = now
    await pause(POLL_MS)
  }
}

/**
 * Reads the whole catalogue and compares it, byte for byte, with the files that should be in it. Gives the counts and
 * every difference in words; no difference means an empty list.
 */
export async function inspectCatalogue(
  admin: AdminAccess,
  expected: readonly CardFile[]
): Promise<{ counts: CatalogueCounts; problems: string[] }> {
  const problems: string[] = []
  const missing = new Map<string, number>()
  for (const file of expected) {
    const entry = `${file.name} ${await sha256OfFile(file.filePath)}`
    missing.set(entry, (missing.get(entry) ?? 0) + 1)
  }
  const digests = new Set<string>()
  const counts = { assets: 0, blobs: 0, thumbnails: 0, videos: 0, failures: 0 }
  for await (const asset of everyItem((cursor) => admin.api.call(listAssets, { query: { limit: 500, cursor } }))) {
    counts.assets++
    if (asset.kind === 'video') counts.videos++
    if (await hasEveryThumbnail(admin, asset)) counts.thumbnails++
    const detail = await admin.api.call(getAsset, { params: { assetId: asset.id } })
    const delivered = await admin.sha256(endpointUrl(getMedia.path, { params: { assetId: asset.id } }))
    if (detail.sha256 !== delivered) problems.push(`${asset.name}: catalogue says ${detail.sha256}, bytes ${delivered}`)
    if (asset.damage) problems.push(`${asset.name} is marked as damaged: ${asset.damage}`)
    digests.add(detail.sha256 ?? asset.id)
    const entry = `${asset.name} ${delivered}`
    const due = missing.get(entry) ?? 0
    if (due === 0) problems.push(`${asset.name} (${delivered}) is on no card, or is there once too often`)
    else missing.set(entry, due - 1)
  }
  for (const [entry, due] of missing) if (due > 0) problems.push(`missing: ${entry}`)
  counts.blobs = digests.size
  const { lanes } = await admin.api.call(getField, {})
  counts.failures = lanes.reduce((sum, lane) => sum + lane.failed, 0)
  return { counts, problems }
}

/** SHA-256 (hex) of a file. */
export async function sha256OfFile(filePath: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(filePath, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

async function hasEveryThumbnail(admin: AdminAccess, asset: AssetSummary): Promise<boolean> {
  for (const sizePx of previewSizesPx) {
    const path = endpointUrl(getThumbnail.path, { params: { sizePx, assetId: asset.id } })
    const answer = await admin.get(path, { accept: 'image/webp,image/jpeg' })
    const { byteLength } = await answer.arrayBuffer()
    if (answer.status !== 200 || byteLength === 0 || !answer.headers.get('content-type')?.startsWith('image/'))
      return false
  }
  return true
}
