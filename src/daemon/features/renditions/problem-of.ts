import type { MediaProblem } from '../../../shared/api/assets.ts'
import { MediaError } from '../../media/media-error.ts'
import { ObjectStoreError } from '../../object-store/object-store.ts'

/** Why nothing can be made of these bytes; null for what trying again may cure. */
export function problemOf(error: unknown): MediaProblem | null {
  if (error instanceof MediaError) return error.problem
  if (!(error instanceof ObjectStoreError)) return null
  if (error.code === 'NotFound') return 'bytes_missing'
  return error.code === 'PreconditionFailed' ? 'bytes_changed' : null
}
