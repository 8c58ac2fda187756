import { idSchema } from '../../../shared/api/common.ts'
import type { StoredEvent } from '../../../shared/api/events.ts'

/** The asset an event is about: named in its data or its subject; null for events about something else. */
export function eventAssetId(event: StoredEvent): string | null {
  const named = idSchema.safeParse(event.data['assetId'])
  if (named.success) return named.data
  return event.type.startsWith('asset.') || event.type.startsWith('rendition.') ? event.subject : null
}
