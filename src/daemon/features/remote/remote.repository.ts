import type { RemoteMedia, RemoteProblem, remoteStatuses } from '../../../shared/api/remote.ts'
import { isoFromMs } from '../../clock.ts'
import type { Database } from '../../db/database.ts'
import { scopeCondition, type WorkspaceScope } from '../../workspace-scope.ts'
import { fetchRemoteJob } from './remote.jobs.ts'

/** The kept bytes of an address. */
export interface KeptFile {
  key: string
  storeEtag: string
  mimeType: string
  sizeBytes: number
  /** Hex. */
  sha256: string
  fetchedAtMs: number
  freshUntilMs: number
  /** Where the redirects led, and what the origin called this version of it. */
  originUrl: string
  originEtag: string | null
  originLastModified: string | null
}

export interface RemoteEntry {
  id: string
  workspaceId: string
  url: string
  status: (typeof remoteStatuses)[number]
  problem: { code: RemoteProblem; message: string } | null
  /** When it became ready or failed; null before. */
  settledAtMs: number | null
  file: KeptFile | null
  createdAtMs: number
  lastUsedAtMs: number
}

interface RemoteRow {
  id: string
  workspace_id: string
  url: string
  status: RemoteEntry['status']
  problem: RemoteProblem | null
  problem_message: string | null
  settled_at_ms: number | null
  key: string | null
  store_etag: string
  mime_type: string
  size_bytes: number
  sha256: Buffer
  fetched_at_ms: number
  fresh_until_ms: number
  origin_url: string
  origin_etag: string | null
  origin_last_modified: string | null
  created_at_ms: number
  last_used_at_ms: number
  is_under_way: number
}

/** Work for it waits or runs: by itself a row that is not settled does not say so, because people cancel jobs. */
const SELECT = `SELECT remote_media.*, EXISTS (
    SELECT 1 FROM job WHERE name = '${fetchRemoteJob.name}' AND dedupe_key = remote_media.id AND state = 'queued'
    UNION ALL SELECT 1 FROM job WHERE name = '${fetchRemoteJob.name}' AND dedupe_key = remote_media.id AND state = 'running'
  ) AS is_under_way FROM remote_media`

/** What was asked for, and what is kept of it. */
export class RemoteRepository {
  readonly #db: Database

  constructor(db: Database) {
    this.#db = db
  }

  find(id: string): RemoteEntry | undefined {
    return this.#one(`${SELECT} WHERE id = ?`, id)
  }

  /** `urlSha256` in hex. */
  findByUrl(workspaceId: string, urlSha256: string): RemoteEntry | undefined {
    return this.#one(`${SELECT} WHERE workspace_id = ? AND url_sha256 = ?`, workspaceId, Buffer.from(urlSha256, 'hex'))
  }

  /** Newest first; `cursor` is the last id of the page before. */
  list(
    query: { workspaceId?: string | undefined; cursor?: string | undefined; limit: number },
    scope: WorkspaceScope
  ): RemoteEntry[] {
    const inScope = scopeCondition(query.workspaceId === undefined ? scope : [query.workspaceId], 'workspace_id')
    const before = query.cursor === undefined ? '' : 'AND id < :cursor'
    return this.#db
      .prepare<unknown[], RemoteRow>(`${SELECT} WHERE ${inScope.sql} ${before} ORDER BY id DESC LIMIT :limit`)
      .all(...inScope.values, { cursor: query.cursor, limit: query.limit })
      .map(entryFromRow)
  }

  insert(entry: { id: string; workspaceId: string; url: string; urlSha256: string }, nowMs: number): void {
    this.#db
      .prepare(
        `INSERT INTO remote_media (id, workspace_id, url, url_sha256, status, created_at_ms, last_used_at_ms)
         VALUES (?, ?, ?, ?, 'pending', ?, ?)`
      )
      .run(entry.id, entry.workspaceId, entry.url, Buffer.from(entry.urlSha256, 'hex'), nowMs, nowMs)
  }

  /** It is not settled yet, or not any more; `problem` is that of the attempt before. */
  setOpen(id: string, status: 'pending' | 'fetching', problem: RemoteEntry['problem']): void {
    this.#setState(id, status, problem, null)
  }

  setFailed(id: string, problem: NonNullable<RemoteEntry['problem']>, nowMs: number): void {
    this.#setState(id, 'failed', problem, nowMs)
  }

  /** Its bytes are these from now on. */
  setReady(id: string, file: KeptFile, nowMs: number): void {
    this.#setState(id, 'ready', null, nowMs)
    this.#db
      .prepare(
        `UPDATE remote_media SET key = ?, store_etag = ?, mime_type = ?, size_bytes = ?, sha256 = ?, fetched_at_ms = ?,
                fresh_until_ms = ?, origin_url = ?, origin_etag = ?, origin_last_modified = ? WHERE id = ?`
      )
      .run(
        file.key,
        file.storeEtag,
        file.mimeType,
        file.sizeBytes,
        Buffer.from(file.sha256, 'hex'),
        file.fetchedAtMs,
        file.freshUntilMs,
        file.originUrl,
        file.originEtag,
        file.originLastModified,
        id
      )
  }

  setUsed(id: string, nowMs: number): void {
    this.#db.prepare('UPDATE remote_media SET last_used_at_ms = ? WHERE id = ?').run(nowMs, id)
  }

  delete(id: string): void {
    this.#db.prepare('DELETE FROM remote_media WHERE id = ?').run(id)
  }

  hasKey(key: string): boolean {
    return this.#db.prepare('SELECT 1 FROM remote_media WHERE key = ?').get(key) !== undefined
  }

  totalBytes(): number {
    return (
      this.#db.prepare<unknown[], { n: number | null }>('SELECT sum(size_bytes) AS n FROM remote_media').get()!.n ?? 0
    )
  }

  /** Least used first, those that were not used since `untilMs`. */
  listUnused(untilMs: number, limit: number): RemoteEntry[] {
    return this.#db
      .prepare<unknown[], RemoteRow>(`${SELECT} WHERE last_used_at_ms <= ? ORDER BY last_used_at_ms, id LIMIT ?`)
      .all(untilMs, limit)
      .map(entryFromRow)
  }

  /** The least used one with bytes, other than `exceptId`. */
  leastUsed(exceptId: string | null): RemoteEntry | undefined {
    return this.#one(
      `${SELECT} WHERE size_bytes IS NOT NULL AND id IS NOT ? ORDER BY last_used_at_ms, id LIMIT 1`,
      exceptId
    )
  }

  #setState(
    id: string,
    status: RemoteEntry['status'],
    problem: RemoteEntry['problem'],
    settledAtMs: number | null
  ): void {
    this.#db
      .prepare('UPDATE remote_media SET status = ?, problem = ?, problem_message = ?, settled_at_ms = ? WHERE id = ?')
      .run(status, problem?.code ?? null, problem?.message ?? null, settledAtMs, id)
  }

  #one(sql: string, ...values: unknown[]): RemoteEntry | undefined {
    const row = this.#db.prepare<unknown[], RemoteRow>(sql).get(...values)
    return row && entryFromRow(row)
  }
}

function entryFromRow(row: RemoteRow): RemoteEntry {
  const { problem: code, problem_message: message, key } = row
  const isOpen = row.status === 'pending' || row.status === 'fetching'
  const isAbandoned = isOpen && row.is_under_way === 0
  const problem = code === null || message === null ? null : { code, message }
  return {
    id: row.id,
    workspaceId: row.workspace_id,
    url: row.url,
    status: isAbandoned ? 'failed' : row.status,
    problem: isAbandoned ? { code: 'interrupted', message: 'the work was cancelled or given up' } : problem,
    settledAtMs: row.settled_at_ms,
    file:
      key === null
        ? null
        : {
            key,
            storeEtag: row.store_etag,
            mimeType: row.mime_type,
            sizeBytes: row.size_bytes,
            sha256: row.sha256.toString('hex'),
            fetchedAtMs: row.fetched_at_ms,
            freshUntilMs: row.fresh_until_ms,
            originUrl: row.origin_url,
            originEtag: row.origin_etag,
            originLastModified: row.origin_last_modified
          },
    createdAtMs: row.created_at_ms,
    lastUsedAtMs: row.last_used_at_ms
  }
}

/** An entry as the API shows it. */
export function viewOf(entry: RemoteEntry): RemoteMedia {
  const { id, file } = entry
  return {
    taskId: id,
    workspaceId: entry.workspaceId,
    url: entry.url,
    status: entry.status,
    problem: entry.problem,
    file: file && {
      mimeType: file.mimeType,
      sizeBytes: file.sizeBytes,
      sha256: file.sha256,
      fetchedAt: isoFromMs(file.fetchedAtMs),
      freshUntil: isoFromMs(file.freshUntilMs),
      contentPath: `/api/v1/remote-media/${id}/content`
    },
    createdAt: isoFromMs(entry.createdAtMs),
    lastUsedAt: isoFromMs(entry.lastUsedAtMs)
  }
}
