/** What is kept of an unfinished upload so that it goes on after the page was loaded again. */
export interface SavedUpload {
  /** Sorts in the order of adding. */
  id: string
  name: string
  folder: string
  sizeBytes: number
  lastModifiedMs: number
  /** Where the browser can find the file again, if it can. */
  source: unknown
  /** Hex; null until it was calculated. */
  sha256: string | null
  /** What the base knows of it; null until it was told. */
  session: { uploadId: string; partSizeBytes: number; partCount: number; received: number[] } | null
  isPaused: boolean
  /** Given up, but the base does not know yet. */
  isCancelled: boolean
}

/** Keeps unfinished uploads beyond the life of the page. */
export interface UploadMemory {
  /** What pages that are gone have left. */
  load(): Promise<SavedUpload[]>
  save(upload: SavedUpload): void
  forget(uploadIds: readonly string[]): void
}

/** For a browser that keeps nothing: uploads end with the page. */
export const noMemory: UploadMemory = {
  load: () => Promise.resolve([]),
  save() {},
  forget() {}
}
