import type { z } from 'zod'
import type { StreamStatus, streamReadySchema } from '../../../shared/api/sources.ts'
import type { Source } from './sources.repository.ts'

/**
 * Whether watching a stream makes sense now. One that is fetched on demand is ready although nothing comes yet: nothing ever would if
 * everybody waited for it.
 */
export function readinessOf(source: Source, status: StreamStatus): z.output<typeof streamReadySchema> {
  if (!source.enabled) return { ready: false, reason: 'disabled' }
  if (!status.registered) return { ready: false, reason: 'not_registered' }
  if (status.available) return { ready: true, reason: 'available' }
  if (status.on_demand) return { ready: true, reason: 'on_demand' }
  return { ready: false, reason: source.type === 'push' ? 'nobody_sends' : 'source_unreachable' }
}
