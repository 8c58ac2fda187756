import { z } from 'zod'
import type { StoredEvent } from '../../../shared/api/events.ts'

/** What followers of photos on Redis Pub/Sub hear. */
export interface PhotoMessage {
  channel: 'photo:uploaded' | 'photo:deleted'
  message: Record<string, unknown>
}

const arrivedSchema = z.object({
  kind: z.literal('image'),
  workspaceId: z.string(),
  name: z.string(),
  objectKey: z.string(),
  mimeType: z.string(),
  sizeBytes: z.number(),
  owner: z.string().nullable()
})
const binnedSchema = z.object({ kind: z.literal('image') })
/** From the bin, its removal was told when it went there. */
const purgedSchema = z.object({ kind: z.literal('image'), reason: z.literal('orphaned') })

/** The message for an event; null for those that say nothing about a photo that came or went. */
export function photoMessage(event: StoredEvent, mediaUrl: (assetId: string) => string): PhotoMessage | null {
  const { type, subject: id, data } = event
  if (type === 'asset.arrived') {
    const arrived = arrivedSchema.safeParse(data).data
    if (!arrived) return null
    const message = {
      id,
      userId: arrived.owner,
      url: mediaUrl(id),
      originalName: arrived.name,
      mimeType: arrived.mimeType,
      sizeBytes: arrived.sizeBytes,
      storageKey: arrived.objectKey,
      workspaceId: arrived.workspaceId,
      createdAt: event.at
    }
    return { channel: 'photo:uploaded', message }
  }
  const isGone =
    (type === 'asset.binned' && binnedSchema.safeParse(data).success) ||
    (type === 'asset.purged' && purgedSchema.safeParse(data).success)
  return isGone ? { channel: 'photo:deleted', message: { id } } : null
}
