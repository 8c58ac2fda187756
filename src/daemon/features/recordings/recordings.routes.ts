import { pipeline } from 'node:stream/promises'
import type { Request } from 'express'
import type { z } from 'zod'
import {
  cutClip,
  deleteSegment,
  getClip,
  getPlaybackUrl,
  getRecordStatus,
  keepSegment,
  keepSnapshot,
  listClips,
  listPlaybackSegments,
  listRecordedSources,
  listRecordingDays,
  listRecordingFiles,
  listRecordingSessions,
  playRecording,
  repairSegment,
  startRecording,
  stopRecording
} from '../../../shared/api/recordings.ts'
import {
  getAssetPlaybackUrl,
  getAssetRecordStatus,
  listAssetRecordings,
  startAssetRecording,
  stopAssetRecording
} from '../../../shared/api/stream-assets.ts'
import { isoFromMs } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import type { CallContext, Caller, EndpointBinder } from '../../http/bind-endpoint.ts'
import { goneSignal } from '../../http/gone-signal.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'
import { mediaHeaders } from '../delivery/media-headers.ts'
import type { ClipsService } from './clips.service.ts'
import { isoFromUs, nameAt, US_PER_S, usOf } from './instants.ts'
import type { Play, Playback } from './playback.service.ts'
import type { RecordControl } from './record-control.ts'
import type { RecordingPlace, RecordingPlaces } from './recorded-sources.ts'
import { type RecordingsService, spanView } from './recordings.service.ts'

export interface RecordingsRouteDeps {
  service: RecordingsService
  control: RecordControl
  playback: Playback
  clips: ClipsService
  places: RecordingPlaces
  /** What opens the address of a recording for a while. */
  tokens: {
    issue(
      pathName: string,
      scopes: 'p',
      lifeMs: number,
      endsAtMs: number | null
    ): { token: string; expiresAtMs: number }
    opens(token: string, pathName: string, scope: 'p'): boolean
  }
  /** Who calls; throws `unauthenticated`. */
  authenticate: (request: Request) => Caller | Promise<Caller>
  /** The stream of an asset. Throws `asset_not_found`, `asset_not_stream`. */
  sourceOfAsset: (assetId: string, scope: WorkspaceScope) => { id: string }
  /** As others reach this base; null: as the caller does. */
  publicUrl: string | null
}

/** Whoever asks for an address: it lasts no longer than they may. */
type Asking = Pick<CallContext, 'request' | 'caller'>
type PlayQuery = Pick<z.output<NonNullable<typeof getPlaybackUrl.query>>, 'start' | 'duration' | 'format'>

const ADDRESS_LIFE_MS = 3600_000
const SPAN_FORMAT = 'fmp4'

export function bindRecordings(binder: EndpointBinder, deps: RecordingsRouteDeps): void {
  const { service, control, playback, clips } = deps
  binder.bind(listRecordedSources, ({ query }, { caller }) => service.listSources(query, caller.workspaceIds))
  binder.bind(startRecording, ({ params }) => control.set(params.sourceId, true))
  binder.bind(stopRecording, ({ params }) => control.set(params.sourceId, false))
  binder.bind(getRecordStatus, ({ params }) => control.status(params.sourceId))
  binder.bind(listRecordingSessions, ({ params, query }) => service.listSessions(params.sourceId, query))
  binder.bind(listRecordingFiles, ({ params, query }) => service.listFiles(params.sourceId, query))
  binder.bind(listRecordingDays, ({ params, query }) => service.listDays(params.sourceId, query))
  binder.bind(keepSegment, ({ params, body }) => service.keep(params.sourceId, params.segmentId, body.is_kept))
  binder.bind(deleteSegment, async ({ params }) => {
    await service.delete(params.sourceId, params.segmentId)
    return undefined
  })
  binder.bind(repairSegment, ({ params }) => service.repair(params.sourceId, params.segmentId))
  binder.bind(cutClip, ({ params, body }) => clips.request(params.sourceId, body))
  binder.bind(listClips, ({ params, query }) => clips.list(params.sourceId, query))
  binder.bind(getClip, ({ params }) => clips.get(params.sourceId, params.clipId))
  binder.bind(keepSnapshot, ({ params, body }) => clips.keepPicture(params.sourceId, body))

  const addressOf = async (sourceId: string, query: PlayQuery, context: Asking) => {
    const play = await playback.findNow(sourceId, usOf(query.start), query.duration)
    const { expires_at, ...address } = signedAddress(play, query.format, context)
    return { ...address, ...spanView(play), expires_at }
  }
  const signedAddress = (
    play: Pick<Play, 'place' | 'startUs' | 'endUs'>,
    format: PlayQuery['format'],
    { request, caller }: Asking
  ) => {
    const path = pathTo(play, format)
    const { token, expiresAtMs } = deps.tokens.issue(play.place.pathName, 'p', ADDRESS_LIFE_MS, caller.expiresAtMs)
    const base = deps.publicUrl ?? `${request.protocol}://${request.headers.host}`
    return { url: `${base}${path}&token=${encodeURIComponent(token)}`, path, expires_at: isoFromMs(expiresAtMs) }
  }
  binder.bind(getPlaybackUrl, ({ params, query }, context) => addressOf(params.sourceId, query, context))
  binder.bind(listPlaybackSegments, ({ params, query }, context) => {
    const place = deps.places.get(params.sourceId)
    const items = playback.listSpans(params.sourceId, service.windowOf(query)).map((span) => {
      const { url, path } = signedAddress({ ...span, place }, SPAN_FORMAT, context)
      return { ...spanView(span), url, path }
    })
    return { items }
  })
  binder.bindStream(playRecording, async ({ params, query }, { request, response }) => {
    const place = await admit(deps, params.sourceId, query.token, request)
    const atUs = usOf(query.start)
    const play = await playback.findNow(params.sourceId, atUs, query.duration)
    if (playback.isDamaged(params.sourceId, atUs)) throw new AppError('recording_corrupt', { start: isoFromUs(atUs) })
    const gone = goneSignal(response)
    const film = await playback.open(play, query.format, gone).catch((error: unknown) => {
      if (gone.aborted) return null
      throw error
    })
    if (!film) return
    const name = nameAt(place, play.startUs, '.mp4')
    const { contentType, headers } = mediaHeaders({ name, mimeType: 'video/mp4' }, query)
    response
      .setHeader('content-type', contentType)
      .setHeader('cache-control', 'no-store')
      .setHeader('accept-ranges', 'none')
    for (const [header, value] of Object.entries(headers)) response.setHeader(header, value)
    // Whoever leaves in the middle is no error; a media server that breaks off is, and shows as an answer without its end.
    await pipeline(film, response).catch((error: unknown) => {
      if (!gone.aborted) throw error
    })
  })

  const ofAsset = (assetId: string, { caller }: { caller: Caller }) =>
    deps.sourceOfAsset(assetId, caller.workspaceIds).id
  binder.bind(startAssetRecording, ({ params }, context) => control.set(ofAsset(params.assetId, context), true))
  binder.bind(stopAssetRecording, ({ params }, context) => control.set(ofAsset(params.assetId, context), false))
  binder.bind(getAssetRecordStatus, ({ params }, context) => control.status(ofAsset(params.assetId, context)))
  binder.bind(listAssetRecordings, ({ params, query }, context) =>
    service.listSessions(ofAsset(params.assetId, context), query)
  )
  binder.bind(getAssetPlaybackUrl, ({ params, query }, context) =>
    addressOf(ofAsset(params.assetId, context), query, context)
  )
}

/** By the address itself, or by who asks. Throws `unauthenticated`, `link_invalid`, `source_not_found`. */
async function admit(
  { places, tokens, authenticate }: RecordingsRouteDeps,
  sourceId: string,
  token: string | undefined,
  request: Request
): Promise<RecordingPlace> {
  const caller = token === undefined ? await authenticate(request) : null
  const place = places.get(sourceId)
  if (caller && !isInScope(caller.workspaceIds, place.workspaceId)) throw new AppError('source_not_found', { sourceId })
  if (token !== undefined && !tokens.opens(token, place.pathName, 'p')) throw new AppError('link_invalid')
  return place
}

function pathTo(
  { place, startUs, endUs }: Pick<Play, 'place' | 'startUs' | 'endUs'>,
  format: PlayQuery['format']
): string {
  const query = new URLSearchParams({
    start: isoFromUs(startUs),
    duration: String((endUs - startUs) / US_PER_S),
    format
  })
  return `/api/v1/sources/${place.sourceId}/playback/media?${query}`
}
