/** What people are told of the store, and what keeps it whole over time. */
export interface StoreMaintenance {
  /** Objects and bytes of the store, from the index: no walk over files. */
  usage(): Promise<StoreUsage>
  /** How far the check of all payload files has come. */
  scrubState(): ScrubState
  /** Objects whose bytes are damaged or missing, ascending by bucket and key, after the given one. */
  damagedObjects(page: { after?: { bucket: string; key: string }; limit: number }): Promise<DamagedObject[]>
  /** Begins a round of checking everything now, without regard to when it was last checked; returns at once. */
  scrubNow(): void
  /** Copies the index now, beside the daily copies. Raises `StorageFull`, `IndexDamaged`. */
  backUpIndex(): Promise<IndexBackup>
  /** The newest copy of the index; null: there is none yet. */
  lastIndexBackup(): IndexBackup | null
}

export type IndexBackup = { path: string; atMs: number }

export type StoreUsage = {
  objects: number
  objectBytes: number
  /** Payload files. Copies of an object share them; those of parts and of what was just replaced count as well. */
  blobs: number
  blobBytes: number
  unfinishedUploads: number
  /** Bytes of the parts of unfinished uploads. */
  unfinishedBytes: number
  /** Unfinished uploads without a new part for a day. */
  idleUploads: number
}

export type ScrubState = {
  /** `waiting`: a round is under way but rests, because uploads are being received or the computer runs on battery. */
  state: 'idle' | 'running' | 'waiting'
  /** When everything had been checked once more; null: never yet. */
  roundFinishedAtMs: number | null
  /** The oldest check among all payload files (one never checked counts from its making); null: there are none. */
  oldestCheckAtMs: number | null
  /** Bytes due in the round under way, 0 without one. After a restart, those that were left. */
  roundBytes: number
  roundCheckedBytes: number
  /** Files that could not be opened or read when they were due last, which says nothing about their bytes. They are tried again. */
  uncheckedBlobs: number
  damagedBlobs: number
}

export type DamagedObject = {
  bucket: string
  key: string
  sizeBytes: number
  lastModifiedMs: number
  /** Null, like the reason, for what an older version of the program found. */
  foundAtMs: number | null
  reason: string | null
}
