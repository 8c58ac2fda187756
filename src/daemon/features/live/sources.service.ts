import { randomInt } from 'node:crypto'
import type { z } from 'zod'
import type { createSource, StreamStatus, updateSource } from '../../../shared/api/sources.ts'
import type { AuditLog } from '../../audit/audit-log.ts'
import type { Clock } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { AppError } from '../../errors.ts'
import type { Outbox } from '../../events/outbox.ts'
import { newId } from '../../ids.ts'
import type { RuntimePath } from '../../mediamtx/client.ts'
import { MediaMtxError } from '../../mediamtx/errors.ts'
import { isOutage } from '../../mediamtx/is-outage.ts'
import type { MediaServer } from '../../mediamtx/media-server.ts'
import { diffOf } from '../../mediamtx/path-conf.ts'
import { KeyedLock } from '../ingest/keyed-lock.ts'
import { newPathName } from './path-name.ts'
import { assertForeign, protocolOf } from './pull-url.ts'
import type { Source, SourceChanges, SourcesRepository } from './sources.repository.ts'
import { RateMeter, statusOf } from './stream-status.ts'
import { type RecordConf, wantedPath } from './wanted-path.ts'

type NewSource = z.output<NonNullable<typeof createSource.body>>
type SourceUpdate = z.output<NonNullable<typeof updateSource.body>>

export interface SourcesServiceDeps {
  db: Database
  clock: Clock
  audit: AuditLog
  outbox: Outbox
  repository: SourcesRepository
  server: MediaServer
  recordConf: RecordConf
  /** Whether streams may be fetched from this machine. */
  allowLoopback: boolean
  /** Whether what a source has sent since then (RFC 3339; null: unknown) is being written, as far as was seen. */
  isRecorded: (sourceId: string, availableTime: string | null) => boolean
  /** Throws `workspace_not_found` where workspaces are not made by using them. */
  assertWorkspace: (workspaceId: string) => void
  /** Runs before a source is deleted, while its path is still there; what it throws prevents that. */
  onDeleting: (source: Source) => Promise<void>
  /** Runs in the transaction that deletes a source. */
  onDeleted: (source: Source, recordings: 'keep' | 'delete') => void
}

/** Names are drawn by chance: meeting another one twice in a row is none any more. */
const NAME_ATTEMPTS = 3
/** Typed by hand at worst: no letters that look like others. 16 of them are 78 bits. */
const KEY_ALPHABET = '23456789abcdefghjkmnpqrstvwxyz'
const KEY_LENGTH = 16

/** Streams: each is a row here and a path of the media server, which follows the row. */
export class SourcesService {
  readonly #deps: SourcesServiceDeps
  readonly #locks = new KeyedLock()
  readonly #rates = new RateMeter()

  constructor(deps: SourcesServiceDeps) {
    this.#deps = deps
  }

  /** Throws `source_not_found`. */
  get(sourceId: string): Source {
    const source = this.#deps.repository.find(sourceId)
    if (!source) throw new AppError('source_not_found', { sourceId })
    return source
  }

  /**
   * Adds a stream and has the media server take it. Throws `invalid_request`, `pull_url_refused`, `workspace_not_found`, and as the media
   * server does; then there is neither row nor path.
   */
  async create(request: NewSource): Promise<Source> {
    const { clock } = this.#deps
    this.#deps.assertWorkspace(request.workspaceId)
    const origin = await this.#originOf(request)
    for (let attempt = 1; ; attempt++) {
      const nowMs = clock.nowMs()
      const source: Source = {
        id: newId(nowMs),
        workspaceId: request.workspaceId,
        name: request.name,
        pathName: newPathName(request.name),
        type: request.type,
        ...origin,
        rtspTransport: request.rtsp_transport ?? 'tcp',
        fingerprint: request.fingerprint?.toLowerCase() ?? null,
        onDemand: request.on_demand ?? false,
        enabled: request.enabled,
        recordEnabled: request.record_enabled ?? false,
        publishKey: request.type === 'push' ? newPublishKey() : null,
        createdAtMs: nowMs,
        updatedAtMs: nowMs
      }
      try {
        await this.#add(source)
        return source
      } catch (error) {
        if (!isConflict(error) || attempt === NAME_ATTEMPTS) throw error
      }
    }
  }

  /** Throws `source_not_found`, `invalid_request`, `pull_url_refused`, and as the media server does; then nothing is changed. */
  async update(sourceId: string, request: SourceUpdate): Promise<Source> {
    const source = this.get(sourceId)
    const changes: SourceChanges = {
      ...(request.name === undefined ? {} : { name: request.name }),
      ...(request.record_enabled === undefined ? {} : { recordEnabled: request.record_enabled }),
      ...(request.on_demand === undefined ? {} : { onDemand: request.on_demand }),
      ...(request.rtsp_transport === undefined ? {} : { rtspTransport: request.rtsp_transport }),
      ...(request.fingerprint === undefined ? {} : { fingerprint: request.fingerprint.toLowerCase() })
    }
    if (request.url !== undefined || request.on_demand)
      Object.assign(
        changes,
        await this.#originOf({ protocol: undefined, url: source.url ?? undefined, ...request, type: source.type })
      )
    return this.#change(sourceId, changes)
  }

  /** Switches a stream on or off; off, whoever sends or watches it is shut out at once. */
  async setEnabled(sourceId: string, enabled: boolean): Promise<Source> {
    return await this.#change(sourceId, { enabled })
  }

  /** Throws `source_disabled` for a stream that is switched off. */
  async setRecording(sourceId: string, recordEnabled: boolean): Promise<Source> {
    if (recordEnabled && !this.get(sourceId).enabled) throw new AppError('source_disabled', { sourceId })
    return this.#change(sourceId, { recordEnabled })
  }

  /**
   * Ends the address that a stream is sent to, with whoever uses it. Throws `source_is_pulled`, and `publish_key_unused` where the media
   * server does not ask us who may send.
   */
  async replacePublishKey(sourceId: string): Promise<Source> {
    const { server } = this.#deps
    if (this.get(sourceId).type === 'pull') throw new AppError('source_is_pulled', { sourceId })
    // Where it does not answer nothing is changed: an address that was not told to anybody would be lost.
    const client = server.client()
    if (!server.asksUs()) throw new AppError('publish_key_unused', { sourceId })
    const source = await this.#change(sourceId, { publishKey: newPublishKey() }, ({ workspaceId, name }) =>
      this.#deps.audit.record('source.key_replaced', sourceId, { workspaceId, name })
    )
    await client.kickPublisher(source.pathName)
    return source
  }

  /** Throws `source_has_assets` with those that belong to it, and as the media server does. */
  async delete(sourceId: string, recordings: 'keep' | 'delete'): Promise<void> {
    const { db, repository, server, audit, outbox } = this.#deps
    await this.#locks.run(sourceId, async () => {
      const source = this.get(sourceId)
      this.#assertUnused(sourceId)
      await this.#deps.onDeleting(source)
      await server.client().deletePath(source.pathName)
      db.transaction(() => {
        // One that was made meanwhile keeps the source; its path comes back by reconciliation.
        this.#assertUnused(sourceId)
        const { workspaceId, name, pathName } = source
        repository.delete(sourceId)
        this.#deps.onDeleted(source, recordings)
        audit.record('source.deleted', sourceId, { workspaceId, name, pathName, recordings })
        outbox.append('source.deleted', sourceId, { workspaceId, name })
      })
    })
  }

  /** What the media server says of one stream. Throws as it does. */
  async statusOf(source: Source): Promise<StreamStatus> {
    const path = await this.#deps.server.client().getPath(source.pathName)
    return this.#toStatus(source, path)
  }

  /** The same for many, asked once; null for all where it does not answer. */
  async statusesOf(sources: readonly Source[]): Promise<Map<string, StreamStatus> | null> {
    let paths: RuntimePath[]
    try {
      paths = await this.#deps.server.client().listPaths()
    } catch (error) {
      if (isOutage(error)) return null
      throw error
    }
    const byName = new Map(paths.map((path) => [path.name, path]))
    return new Map(sources.map((source) => [source.id, this.#toStatus(source, byName.get(source.pathName) ?? null)]))
  }

  #toStatus(source: Source, path: RuntimePath | null): StreamStatus {
    const { server, clock, isRecorded } = this.#deps
    if (path?.available) this.#rates.note(source.id, path.inboundBytes, clock.nowMs())
    return statusOf(source, path, {
      isRecorded: isRecorded(source.id, path?.availableTime ?? null),
      bitrate: this.#rates.bitrateOf(source.id),
      lastError: server.lastErrorOf(source.pathName)
    })
  }

  /** Row first: what is left behind by a death in between is finished by reconciliation, not forgotten in the media server. */
  async #add(source: Source): Promise<void> {
    const { db, repository, server, recordConf, outbox } = this.#deps
    const client = server.client()
    const { id, workspaceId, name, type } = source
    db.transaction(() => {
      repository.insert(source)
      outbox.append('source.created', id, { workspaceId, name, type })
    })
    try {
      await client.addPath(source.pathName, wantedPath(source, recordConf))
      await client.waitForPath(source.pathName, (conf) => conf !== null)
    } catch (error) {
      db.transaction(() => {
        repository.delete(id)
        outbox.append('source.deleted', id, { workspaceId, name })
      })
      // A path of that name which was there before is somebody else's. Otherwise the next comparison removes what this leaves behind.
      if (!isConflict(error)) await client.deletePath(source.pathName).catch(() => undefined)
      throw error
    }
  }

  /** Row and path change together, or neither does. `onWritten` runs in the transaction of the row. */
  async #change(sourceId: string, changes: SourceChanges, onWritten?: (source: Source) => void): Promise<Source> {
    const { clock, server, recordConf } = this.#deps
    return this.#locks.run(sourceId, async () => {
      const before = this.get(sourceId)
      const after: Source = { ...before, ...changes, updatedAtMs: clock.nowMs() }
      const [from, to] = [wantedPath(before, recordConf), wantedPath(after, recordConf)]
      const isAffected = Object.keys(diffOf(to, from)).length > 0 || 'enabled' in changes || 'recordEnabled' in changes
      const client = isAffected ? server.client() : null
      // What is refused to whoever asks follows the row, so it is first.
      this.#write(after, onWritten)
      try {
        await client?.replacePath(after.pathName, to)
        await client?.waitForPath(after.pathName, (conf) => conf !== null && Object.keys(diffOf(to, conf)).length === 0)
      } catch (error) {
        this.#write(before)
        throw error
      }
      return after
    })
  }

  #write(source: Source, onWritten?: (source: Source) => void): void {
    const { db, repository, outbox } = this.#deps
    const { id, workspaceId, name, enabled, recordEnabled } = source
    db.transaction(() => {
      repository.update(source)
      outbox.append('source.updated', id, { workspaceId, name, enabled, recordEnabled })
      onWritten?.(source)
    })
  }

  #assertUnused(sourceId: string): void {
    const assets = this.#deps.repository.assetsOf(sourceId)
    if (assets.length > 0) throw new AppError('source_has_assets', { sourceId, assets })
  }

  /** Where a stream comes from, checked as far as that goes without asking there. */
  async #originOf(request: {
    type: Source['type']
    url?: string | undefined
    protocol?: Source['protocol'] | undefined
    on_demand?: boolean | undefined
  }): Promise<Pick<Source, 'url' | 'protocol'>> {
    const { type, url } = request
    if (type === 'push') {
      if (url !== undefined) throw invalid('url', 'is not for a source that is pushed')
      if (request.on_demand) throw invalid('on_demand', 'is for sources that are pulled')
      return { url: null, protocol: request.protocol ?? 'rtmp' }
    }
    if (url === undefined) throw invalid('url', 'is needed for a source that is pulled')
    const protocol = protocolOf(url, this.#deps)
    if (request.protocol !== undefined && request.protocol !== protocol)
      throw invalid('protocol', `does not fit the url, which says ${protocol}`)
    if (!this.#deps.allowLoopback) await assertForeign(url)
    return { url, protocol }
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof MediaMtxError && error.code === 'Conflict'
}

function invalid(path: string, message: string): AppError {
  return new AppError('invalid_request', { in: 'body', issues: [{ path, message }] })
}

function newPublishKey(): string {
  return Array.from({ length: KEY_LENGTH }, () => KEY_ALPHABET[randomInt(KEY_ALPHABET.length)]).join('')
}
