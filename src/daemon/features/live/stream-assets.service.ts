import { Readable } from 'node:stream'
import type { z } from 'zod'
import type { AssetDetail } from '../../../shared/api/assets.ts'
import type { createStreamAsset, streamAssetSchema } from '../../../shared/api/stream-assets.ts'
import { DEFAULT_WORKSPACE } from '../../../shared/api/uploads.ts'
import { AppError } from '../../errors.ts'
import type { MediaType } from '../../media/sniff-media.ts'
import { isInScope, type WorkspaceScope } from '../../workspace-scope.ts'
import type { OwnFile } from '../uploads/uploads.service.ts'
import type { Source, SourcesRepository } from './sources.repository.ts'
import type { SourcesService } from './sources.service.ts'

type NewStreamAsset = z.output<NonNullable<typeof createStreamAsset.body>>
type StreamAsset = z.output<typeof streamAssetSchema>

export interface StreamAssetsDeps {
  service: SourcesService
  repository: SourcesRepository
  /** Stores a file of the base's own; the callback runs in the transaction that makes it an asset. */
  storeOwn: (file: Readable, about: OwnFile, onStored: (assetId: string) => void) => Promise<{ asset: { id: string } }>
  /** Notes things about an asset, in the current transaction. */
  note: (
    assetId: string,
    about: { tags: { add: string[]; remove: string[] }; metadata: Record<string, unknown> }
  ) => void
  /** Throws `asset_not_found`. */
  getDetail: (assetId: string, scope: WorkspaceScope) => AssetDetail
}

/** What is stored of a stream says where it comes from; the pictures are the media server's. */
const STREAM_TYPE: MediaType = { kind: 'stream', mimeType: 'application/vnd.flightcase.stream+json' }

/** Assets that are streams: they live and end as any other, and their source cannot go before them. */
export class StreamAssets {
  readonly #deps: StreamAssetsDeps

  constructor(deps: StreamAssetsDeps) {
    this.#deps = deps
  }

  /**
   * Makes an asset of a source, or of a new one. Throws as making a source does, and `source_not_found`; a source that was made for an
   * asset that could not be stored is removed again.
   */
  async create(request: NewStreamAsset, scope: WorkspaceScope): Promise<StreamAsset> {
    if ('source_id' in request) return this.#make(this.#known(request.source_id, request.path, scope), request, scope)
    const { service } = this.#deps
    const { name, stream_url: url, workspaceId = DEFAULT_WORKSPACE } = request
    const source = await service.create({ name, type: 'pull', url, workspaceId, enabled: true })
    try {
      return await this.#make(source, request, scope)
    } catch (error) {
      await service.delete(source.id, 'keep').catch(() => undefined)
      throw error
    }
  }

  /** The source of an asset. Throws `asset_not_found`, `asset_not_stream`. */
  sourceOf(assetId: string, scope: WorkspaceScope): Source {
    const source = this.#deps.repository.sourceOfAsset(assetId)
    if (source) return source
    this.#deps.getDetail(assetId, scope)
    throw new AppError('asset_not_stream', { assetId })
  }

  async #make(source: Source, { name, tags }: NewStreamAsset, scope: WorkspaceScope): Promise<StreamAsset> {
    const { repository, storeOwn, note, getDetail } = this.#deps
    const { id: sourceId, pathName, workspaceId } = source
    // The time makes each the only one of its bytes: two assets of one source are two things.
    const text = JSON.stringify({ type: 'stream', sourceId, path: pathName, name, madeAt: new Date().toISOString() })
    const reference = { namespace: 'live', owner: sourceId, kind: 'strong' as const }
    const { asset } = await storeOwn(
      Readable.from([Buffer.from(`${text}\n`)]),
      { workspaceId, name, type: STREAM_TYPE, reference, isProcessed: false },
      (assetId) => {
        repository.link(assetId, sourceId)
        note(assetId, { tags: { add: tags, remove: [] }, metadata: { source_id: sourceId, path: pathName } })
      }
    )
    return {
      ...getDetail(asset.id, scope),
      type: 'stream',
      source_type: 'live',
      source_id: sourceId,
      path: pathName
    }
  }

  #known(sourceId: string, path: string | undefined, scope: WorkspaceScope): Source {
    const source = this.#deps.service.get(sourceId)
    if (!isInScope(scope, source.workspaceId)) throw new AppError('source_not_found', { sourceId })
    if (path !== undefined && path !== source.pathName)
      throw new AppError('invalid_request', {
        in: 'body',
        issues: [{ path: 'path', message: `is not that of the source, which is ${source.pathName}` }]
      })
    return source
  }
}
