import type { MediaSource, StreamPreview, StreamStatus } from '../../../shared/api/sources.ts'
import { isoFromMs } from '../../clock.ts'
import type { CallContext } from '../../http/bind-endpoint.ts'
import type { ServerUrls } from '../../mediamtx/media-server.ts'
import type { PathReconciler } from './path-reconciler.ts'
import { masked } from './pull-url.ts'
import type { Source } from './sources.repository.ts'
import type { SourcesService } from './sources.service.ts'
import type { StreamAddresses } from './stream-addresses.ts'

type Viewer = Pick<CallContext, 'caller' | 'request'>

/** Sources as callers are shown them: no password of a camera, and what a stream is sent with for operators only. */
export class SourceViews {
  readonly #deps: { service: SourcesService; addresses: StreamAddresses; reconciler: PathReconciler }

  constructor(deps: { service: SourcesService; addresses: StreamAddresses; reconciler: PathReconciler }) {
    this.#deps = deps
  }

  of(source: Source, viewer: Viewer): MediaSource {
    return this.#view(source, this.#basesFor(viewer), showsKeyTo(viewer), null)
  }

  async ofAll(sources: readonly Source[], viewer: Viewer, query: { with_status: boolean }): Promise<MediaSource[]> {
    const statuses = query.with_status ? await this.#deps.service.statusesOf(sources) : null
    const [bases, showsKey] = [this.#basesFor(viewer), showsKeyTo(viewer)]
    return sources.map((source) => this.#view(source, bases, showsKey, statuses?.get(source.id) ?? null))
  }

  previewOf(source: Source, viewer: Viewer): StreamPreview {
    const { expiresAtMs } = viewer.caller
    return this.#deps.addresses.preview(source, this.#basesFor(viewer), { showsKey: showsKeyTo(viewer), expiresAtMs })
  }

  /** By the name that the caller reaches this machine by. */
  #basesFor({ request }: Viewer): ServerUrls {
    return this.#deps.addresses.basesFor(request.hostname)
  }

  #view(source: Source, bases: ServerUrls, showsKey: boolean, status: StreamStatus | null): MediaSource {
    const { addresses, reconciler } = this.#deps
    const { id, name, type, protocol, enabled } = source
    const pushUrls = addresses.pushUrls(source, bases, showsKey)
    return {
      id,
      workspace_id: source.workspaceId,
      name,
      path_name: source.pathName,
      type,
      protocol,
      url: source.url === null ? null : masked(source.url),
      enabled,
      record_enabled: source.recordEnabled,
      on_demand: source.onDemand,
      drift: status && !status.registered ? 'missing' : reconciler.driftOf(id),
      push_url: pushUrls?.rtmp ?? null,
      push_urls: pushUrls,
      created_at: isoFromMs(source.createdAtMs),
      updated_at: isoFromMs(source.updatedAtMs),
      status
    }
  }
}

function showsKeyTo({ caller }: Viewer): boolean {
  return caller.role !== 'viewer'
}
