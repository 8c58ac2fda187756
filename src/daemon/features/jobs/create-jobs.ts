import {
  cancelJob,
  getJob,
  type JobCounts,
  jobStates,
  listJobs,
  retryJob,
  retryJobs
} from '../../../shared/api/jobs.ts'
import type { Feature } from '../../feature.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'

const MAX_RETRIED = 1000

/** Shows the queue of jobs to people, who may retry and cancel them. */
export function createJobs(queue: JobQueue): Feature {
  return {
    bind(binder) {
      binder.bind(listJobs, ({ query }, { caller: { workspaceIds } }) => {
        const kinds = queue.countsByKind(workspaceIds)
        return { ...queue.list(query, workspaceIds), counts: sumOf(kinds), kinds }
      })
      binder.bind(getJob, ({ params }) => queue.get(params.jobId))
      binder.bind(retryJob, ({ params }) => queue.retry(params.jobId))
      binder.bind(retryJobs, ({ body }) => {
        const retriedCount = queue.retryDead({ name: body.name, limit: MAX_RETRIED })
        return { retriedCount, isMore: retriedCount === MAX_RETRIED }
      })
      binder.bind(cancelJob, ({ params }) => queue.cancel(params.jobId))
    }
  }
}

function sumOf(kinds: readonly { counts: JobCounts }[]): JobCounts {
  const sum: JobCounts = { queued: 0, running: 0, dead: 0, cancelled: 0 }
  for (const { counts } of kinds) for (const state of jobStates) sum[state] += counts[state]
  return sum
}
