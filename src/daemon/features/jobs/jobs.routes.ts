import { cancelJob, listJobs, retryJob } from '../../../shared/api/jobs.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { JobQueue } from '../../jobs/job-queue.ts'

export function bindJobs(binder: EndpointBinder, queue: JobQueue): void {
  binder.bind(listJobs, ({ query }, { caller: { workspaceIds } }) => ({
    ...queue.list(
      {
        limit: query.limit,
        ...(query.state === undefined ? {} : { state: query.state }),
        ...(query.cursor === undefined ? {} : { cursor: query.cursor })
      },
      workspaceIds
    ),
    counts: queue.counts(workspaceIds)
  }))
  binder.bind(retryJob, ({ params }) => queue.retry(params.jobId))
  binder.bind(cancelJob, ({ params }) => queue.cancel(params.jobId))
}
