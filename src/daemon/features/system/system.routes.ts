import { getStatus } from '../../../shared/api/system.ts'
import { type Clock, isoFromMs } from '../../clock.ts'
import type { RetentionConfig } from '../../config/settings/retention.ts'
import type { EndpointBinder } from '../../http/bind-endpoint.ts'
import type { Status, StoreMonitor } from './system.service.ts'

export function bindSystem(
  binder: EndpointBinder,
  deps: {
    version: string
    clock: Clock
    storeMonitor: StoreMonitor
    ffmpegPath: string | null
    retention: RetentionConfig
    controllersCanPair: () => boolean
    tokenCommand: string | null
    addresses: () => Pick<Status, 'fieldUrls' | 's3Urls'>
  }
): void {
  const startedAt = isoFromMs(deps.clock.nowMs())
  binder.bind(getStatus, async (_, { caller }) => ({
    version: deps.version,
    startedAt,
    role: caller.role,
    workspaceIds: caller.workspaceIds === 'all' ? null : [...caller.workspaceIds],
    ...deps.addresses(),
    controllersCanPair: deps.controllersCanPair(),
    tokenCommand: caller.role === 'admin' && caller.workspaceIds === 'all' ? deps.tokenCommand : null,
    store: await deps.storeMonitor.read(deps.clock.nowMs()),
    ffmpeg: { found: deps.ffmpegPath !== null, path: deps.ffmpegPath },
    retention: { graceHours: deps.retention.graceMs / 3_600_000, binDays: deps.retention.binMs / 86_400_000 }
  }))
}
