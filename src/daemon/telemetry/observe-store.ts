import type { AnsweredEvent } from '../embedded-store/endpoint/pipeline.ts'
import type { Telemetry } from './telemetry.ts'

/** Counts and times the requests to the embedded store by operation. */
export function observeStore({ meter }: Telemetry): (event: AnsweredEvent) => void {
  const duration = meter.createHistogram('s3_request_duration_seconds', {
    unit: 's',
    description: 'How long requests to the embedded store take'
  })
  return ({ operation = 'other', outcome, durationMs }) => duration.record(durationMs / 1000, { operation, outcome })
}
