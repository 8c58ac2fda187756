import { z } from 'zod'
import { defineJob } from '../../jobs/define-job.ts'

/** Longer than any fetch is given: see `remote.timeout_seconds`. */
const TIMEOUT_MS = 2 * 3_600_000

/** Fetches what was asked for. */
export const fetchRemoteJob = defineJob({
  name: 'remote.fetch',
  payload: z.object({ taskId: z.string() }),
  lane: 'net',
  priority: 50,
  // Some six minutes.
  maxAttempts: 6,
  timeoutMs: TIMEOUT_MS,
  dedupeKey: ({ taskId }) => taskId
})
