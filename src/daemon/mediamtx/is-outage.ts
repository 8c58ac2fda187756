import { AppError } from '../errors.ts'
import { MediaMtxError } from './errors.ts'

/** Whether the media server could not be asked, which says nothing about what it was asked for. */
export function isOutage(error: unknown): boolean {
  if (error instanceof MediaMtxError) return error.code === 'Unavailable' || error.code === 'Misconfigured'
  return error instanceof AppError && (error.code === 'live_unavailable' || error.code === 'live_misconfigured')
}
