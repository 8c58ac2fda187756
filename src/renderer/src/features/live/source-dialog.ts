import type { MediaSource } from '../../../../shared/api/sources.ts'

/** A dialog about streams that can be open. `push` tells how to send, after something or because somebody asks. */
export type SourceDialog =
  | { kind: 'add' }
  | { kind: 'edit' | 'newKey' | 'delete'; source: MediaSource }
  | { kind: 'push'; source: MediaSource; after: 'nothing' | 'creation' | 'replacement' }

/** Opens a dialog, or closes the open one with null. */
export type OnSourceDialog = (dialog: SourceDialog | null) => void
