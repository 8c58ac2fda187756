import type { Source } from '../features/live/sources.repository.ts'

/** A source that is pushed, with some members changed. */
export function aSource(changes: Partial<Source> = {}): Source {
  return {
    id: 's'.repeat(26),
    workspaceId: 'default',
    name: 'cam',
    pathName: 'live/cam-0a1b2c3d',
    type: 'push',
    protocol: 'rtmp',
    url: null,
    rtspTransport: 'tcp',
    fingerprint: null,
    onDemand: false,
    enabled: true,
    recordEnabled: false,
    publishKey: 'key',
    createdAtMs: 0,
    updatedAtMs: 0,
    ...changes
  }
}
