import { idSchema } from '../../../shared/api/common.ts'
import type { StoredEvent } from '../../../shared/api/events.ts'

/** The asset an event is about: named in its data or its subject; null for events about something else. */
export function eventAssetId(event: StoredEvent): string | null {
  const named = idSchema.safeParse(event.data['assetId'])
  if (named.success) return named.data
  if (event.type.startsWith('asset.') || event.type.startsWith('rendition.')) return event.subject
  // A job that works on no asset is its own subject.
  return event.type === 'job.dead' && event.data['jobId'] !== event.subject ? event.subject : null
}
