import { type AssetDetail, captureDataSchema } from '../../../shared/api/assets.ts'

const at = '2026-11-21T01:00:00.000Z'

/** The capture data of a file that says nothing. */
export const noCapture = Object.fromEntries(
  Object.keys(captureDataSchema.shape).map((key) => [key, null])
) as AssetDetail['capture']

/** A photo in the base as the daemon tells of it, with some members changed. */
export function assetDetail(change: Partial<AssetDetail> = {}): AssetDetail {
  return {
    id: 'a'.repeat(26),
    workspaceId: 'w',
    name: 'DJI_0001.JPG',
    kind: 'image',
    mimeType: 'image/jpeg',
    state: 'active',
    sizeBytes: 12_300_000,
    takenAt: at,
    takenLocal: '2026-11-21T09:00:00',
    takenDay: '2026-11-21',
    takenZoneKnown: true,
    receivedAt: at,
    binnedAt: null,
    width: 4000,
    height: 3000,
    durationMs: null,
    deviceId: null,
    flightId: null,
    source: 'pilot',
    moderation: null,
    preview: 'ready',
    previewProblem: null,
    damage: null,
    path: '',
    objectKey: 'media/w/DJI_0001.JPG',
    sha256: null,
    copies: 1,
    access: 'workspace',
    cacheSeconds: null,
    ownerId: null,
    isQuarantined: false,
    archivedAt: null,
    tier: 'hot',
    refCount: 1,
    tags: [],
    metadata: {},
    moderationLabels: [],
    moderationNote: null,
    moderatedAt: null,
    revision: 0,
    capture: { ...noCapture, zoneOffset: '+08:00' },
    deviceName: null,
    flightName: null,
    references: [],
    referenceTotal: 0,
    renditions: [],
    jobs: [],
    events: [],
    ...change
  }
}
