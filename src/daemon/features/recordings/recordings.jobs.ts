import { z } from 'zod'
import { defineJob } from '../../jobs/define-job.ts'

/** Looks whether all of a file can be read that was recorded. */
export const checkSegmentJob = defineJob({
  name: 'recordings.check',
  payload: z.object({ segmentId: z.string() }),
  lane: 'io',
  maxAtOnce: 1,
  priority: 60,
  maxAttempts: 4,
  // A day of recording in one file, from a slow disk.
  timeoutMs: 3600_000,
  dedupeKey: ({ segmentId }) => segmentId
})

/** Writes a damaged file anew from what can be read of it. */
export const repairSegmentJob = defineJob({
  name: 'recordings.repair',
  payload: z.object({ segmentId: z.string() }),
  lane: 'io',
  maxAtOnce: 1,
  priority: 20,
  maxAttempts: 3,
  timeoutMs: 2 * 3600_000,
  dedupeKey: ({ segmentId }) => segmentId
})

/** Makes an asset of a part of a recording. */
export const cutClipJob = defineJob({
  name: 'recordings.clip',
  payload: z.object({ clipId: z.string() }),
  lane: 'io',
  maxAtOnce: 1,
  priority: 15,
  maxAttempts: 4,
  timeoutMs: 3 * 3600_000,
  dedupeKey: ({ clipId }) => clipId
})

/** Deletes what was recorded of a stream that is gone. */
export const deleteRecordingsJob = defineJob({
  name: 'recordings.delete',
  // Such as were queued before streams that are gone kept their names have none.
  payload: z.object({ id: z.string(), workspaceId: z.string(), name: z.string().default(''), pathName: z.string() }),
  lane: 'io',
  maxAtOnce: 1,
  priority: 40,
  maxAttempts: 8,
  timeoutMs: 3600_000,
  dedupeKey: ({ id }) => id
})
