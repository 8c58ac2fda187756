import { ROOT_CONTEXT } from '@opentelemetry/api'
import type { ObserveJob } from '../jobs/job-runner.ts'
import type { Telemetry } from './telemetry.ts'
import { inSpan } from './traced.ts'

/** Times every run of a job by its name and how it ended; with a collector each is a span. */
export function observeJobs({ meter, tracer }: Telemetry): ObserveJob {
  const duration = meter.createHistogram('media_job_duration_seconds', { unit: 's', description: 'How long jobs run' })
  const fingerprints = meter.createHistogram('media_fingerprint_duration_seconds', {
    unit: 's',
    description: 'How long it takes to know the digest of a file, and whether it is there twice'
  })
  const transcodes = meter.createHistogram('media_transcode_duration_seconds', {
    unit: 's',
    description: 'How long it takes to make previews and other renditions'
  })
  return async (job, run) => {
    const startedMs = performance.now()
    let outcome = 'failed'
    try {
      await inSpan(tracer, job.name, ROOT_CONTEXT, run)
      outcome = 'done'
    } finally {
      const seconds = (performance.now() - startedMs) / 1000
      duration.record(seconds, { job: job.name, outcome })
      if (job.name === 'ingest.fingerprint') fingerprints.record(seconds, { outcome })
      if (job.name.startsWith('renditions.')) transcodes.record(seconds, { job: job.name, outcome })
    }
  }
}
