import { useSyncExternalStore } from 'react'
import type { UploadsSnapshot } from './engine/upload-item.ts'
import { uploads } from './uploads.ts'

/** All uploads of this page at this moment. */
export function useUploads(): UploadsSnapshot {
  return useSyncExternalStore(uploads.subscribe, uploads.get)
}
