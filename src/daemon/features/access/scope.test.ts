import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openAdmin } from '../../../demo/admin-access.ts'
import { deleteAsset, getAsset, listAssets } from '../../../shared/api/assets.ts'
import { adminContract } from '../../../shared/api/contract.ts'
import { getRecordStatus } from '../../../shared/api/recordings.ts'
import { cacheRemoteMedia } from '../../../shared/api/remote.ts'
import { createStreamAsset } from '../../../shared/api/stream-assets.ts'
import { createToken, getStatus, listTokens, openSession, type Role } from '../../../shared/api/system.ts'
import { createTusUpload } from '../../../shared/api/tus.ts'
import { beginUpload, completeUpload, putUploadPart, uploadMedia } from '../../../shared/api/uploads.ts'
import { endpointUrl } from '../../../shared/api-client.ts'
import type { Endpoint } from '../../../shared/endpoint.ts'
import { openDatabase } from '../../db/database.ts'
import { migrations } from '../../db/migrations/all.ts'
import { newId } from '../../ids.ts'
import { startLiveBase } from '../../testing/live-base.ts'
import type { TestDaemon } from '../../testing/test-daemon.ts'
import { loopbackNames } from '../remote/remote-bench.ts'

/** What is in one workspace. */
interface World {
  workspaceId: string
  assetId: string
  binnedId: string
  referenceId: string
  uploadId: string
  tusUploadId: string
  remoteTaskId: string
  queuedJobId: string
  cancelledJobId: string
  sourceId: string
  streamAssetId: string
}

interface Call {
  params?: Record<string, string | number>
  query?: Record<string, string | number>
  body?: unknown
  raw?: FormData | string
  /** Beside those that every tus request has. */
  headers?: Record<string, string>
}

/** Refused to every token that is limited to workspaces. */
const refused = 'refused'
/** Names nothing of a workspace: the answer must still say nothing of others. */
const open = (): Call => ({})
const ofAsset = ({ assetId }: World): Call => ({ params: { assetId } })
const ofRemote = ({ remoteTaskId }: World): Call => ({ params: { taskId: remoteTaskId } })
const ofSource = ({ sourceId }: World): Call => ({ params: { sourceId } })
const ofStream = ({ streamAssetId }: World): Call => ({ params: { assetId: streamAssetId } })
/** Of a thing of a stream that is not there. */
const ofNothing = ({ sourceId }: World, name: string): Call => ({ params: { sourceId, [name]: newId() } })
const ofUpload = ({ uploadId }: World): Call => ({ params: { uploadId } })
const newFile = ({ workspaceId }: World): Call => ({ body: { workspaceId, name: 'new.bin', sizeBytes: 4 } })

const newTusUpload = ({ workspaceId }: Pick<World, 'workspaceId'>): Call => ({
  headers: { 'upload-length': '4', 'upload-metadata': `workspaceId ${Buffer.from(workspaceId).toString('base64')}` }
})

/** Every operation: a new one must be put here, so that somebody thinks of what it shows to whom. */
const operations: Record<string, typeof refused | ((world: World) => Call)> = {
  getField: refused,
  getStorage: refused,
  listDamagedAssets: refused,
  startScrub: refused,
  getStoreSettings: refused,
  changeStoreSettings: refused,
  revertStoreSettings: refused,
  testStoreSettings: refused,
  listAssets: open,
  listAssetFacets: open,
  getAsset: ofAsset,
  updateAsset: (world) => ({ ...ofAsset(world), body: { name: 'renamed.bin', metadata: { workspaceId: 'any' } } }),
  changeAssets: ({ assetId }) => ({ body: { action: 'tag', assetIds: [assetId], add: ['seen'] } }),
  moderateAsset: (world) => ({ ...ofAsset(world), body: { status: 'approved' } }),
  getFileUrl: ofAsset,
  getMediaObject: ofAsset,
  replaceLinkKey: refused,
  quarantineBytes: refused,
  listQuarantine: refused,
  releaseBytes: refused,
  deleteAsset: (world) => ({ ...ofAsset(world) }),
  restoreAsset: ({ binnedId }) => ({ params: { assetId: binnedId } }),
  getMedia: ofAsset,
  getThumbnail: ({ assetId }) => ({ params: { assetId, sizePx: 256 } }),
  listRenditions: ofAsset,
  requestRendition: (world) => ({ ...ofAsset(world), body: { name: 'proxy' } }),
  getRendition: ({ assetId }) => ({ params: { assetId, name: '256' } }),
  findSimilar: ofAsset,
  getHls: ({ assetId }) => ({ params: { assetId, file: 'index.m3u8' } }),
  uploadMedia: ({ workspaceId }) => ({ raw: formOf('bytes', { workspaceId }) }),
  presignUpload: newFile,
  beginUpload: newFile,
  putUploadPart: ({ uploadId }) => ({ params: { uploadId, number: 1 }, raw: 'part' }),
  describeTus: open,
  createTusUpload: newTusUpload,
  getTusUpload: ({ tusUploadId }) => ({ params: { uploadId: tusUploadId }, headers: {} }),
  appendToTusUpload: ({ tusUploadId }) => ({
    params: { uploadId: tusUploadId },
    headers: { 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' },
    raw: 'part'
  }),
  endTusUpload: ({ tusUploadId }) => ({ params: { uploadId: tusUploadId }, headers: {} }),
  getUpload: ofUpload,
  completeUpload: ofUpload,
  abortUpload: ofUpload,
  listReferences: ofAsset,
  createReference: (world) => ({ ...ofAsset(world), body: { namespace: 'chat' } }),
  findReferences: () => ({ query: { namespace: 'posts' } }),
  createReferences: ({ assetId }) => ({ body: { references: [{ assetId, namespace: 'chat' }] } }),
  deleteReferences: () => ({ body: { namespace: 'posts', owner: 'ann' } }),
  deleteReference: ({ referenceId }) => ({ params: { referenceId } }),
  listWorkspaces: open,
  setWorkspaceQuota: refused,
  getBin: refused,
  emptyBin: refused,
  setAssetAccess: (world) => ({ ...ofAsset(world), body: { access: 'workspace', cacheSeconds: 5 } }),
  collectGarbage: refused,
  listGcRuns: refused,
  getTiering: refused,
  listJobs: open,
  getJob: ({ queuedJobId }) => ({ params: { jobId: queuedJobId } }),
  retryJob: ({ cancelledJobId }) => ({ params: { jobId: cancelledJobId } }),
  retryJobs: refused,
  cancelJob: ({ queuedJobId }) => ({ params: { jobId: queuedJobId } }),
  streamEvents: () => ({ query: { lastEventId: 0 } }),
  listAudit: open,
  exportAudit: refused,
  verifyAudit: refused,
  openSession: open,
  closeSession: open,
  getStatus: open,
  getDoctor: refused,
  getMetrics: refused,
  getLiveness: open,
  getReadiness: open,
  listTokens: refused,
  createToken: refused,
  revokeToken: refused,
  takeEvent: refused,
  listDeletions: refused,
  cancelDeletion: refused,
  listSinks: refused,
  cacheRemoteMedia: ({ workspaceId }) => ({ body: { workspaceId, url: 'http://origin.example/new.jpg' } }),
  listRemoteMedia: open,
  getRemoteMedia: ofRemote,
  getRemoteContent: ofRemote,
  deleteRemoteMedia: ofRemote,
  listSources: open,
  createSource: ({ workspaceId }) => ({ body: { workspaceId, name: 'new', type: 'push' } }),
  getSource: ofSource,
  updateSource: (world) => ({ ...ofSource(world), body: { name: 'renamed' } }),
  deleteSource: ofSource,
  enableSource: ofSource,
  disableSource: ofSource,
  getSourceStatus: ofSource,
  previewSource: ofSource,
  isPreviewReady: ofSource,
  replacePublishKey: ofSource,
  getLiveSnapshot: ofSource,
  getHlsFile: ({ sourceId }) => ({ params: { sourceId, file: 'index.m3u8' } }),
  openWhep: (world) => ({ ...ofSource(world), raw: 'v=0' }),
  trickleWhep: ({ sourceId }) => ({ params: { sourceId, session: 'gone' }, raw: 'a=x' }),
  closeWhep: ({ sourceId }) => ({ params: { sourceId, session: 'gone' } }),
  getMediaServer: open,
  createStreamAsset: ({ sourceId }) => ({ body: { type: 'stream', name: 'Gate', source_id: sourceId } }),
  listRecordedSources: open,
  startRecording: ofSource,
  stopRecording: ofSource,
  getRecordStatus: ofSource,
  listRecordingSessions: ofSource,
  listRecordingFiles: ofSource,
  listRecordingDays: ofSource,
  keepSegment: (world) => ({ ...ofNothing(world, 'segmentId'), body: { is_kept: true } }),
  deleteSegment: (world) => ofNothing(world, 'segmentId'),
  repairSegment: (world) => ofNothing(world, 'segmentId'),
  getPlaybackUrl: (world) => ({ ...ofSource(world), query: { start: 0 } }),
  listPlaybackSegments: ofSource,
  playRecording: (world) => ({ ...ofSource(world), query: { start: 0 } }),
  cutClip: (world) => ({ ...ofSource(world), body: { start: '2026-01-01T00:00:00Z', end: '2026-01-01T00:00:01Z' } }),
  listClips: ofSource,
  getClip: (world) => ofNothing(world, 'clipId'),
  keepSnapshot: (world) => ({ ...ofSource(world), body: {} }),
  startAssetRecording: ofStream,
  stopAssetRecording: ofStream,
  getAssetRecordStatus: ofStream,
  listAssetRecordings: ofStream,
  getAssetPlaybackUrl: (world) => ({ ...ofStream(world), query: { start: 0 } }),
  previewAsset: ofStream,
  getAssetStreamStatus: ofStream,
  listWebhooks: refused,
  createWebhook: refused,
  getWebhook: refused,
  updateWebhook: refused,
  deleteWebhook: refused,
  rotateWebhookSecret: refused,
  testWebhook: refused,
  listWebhookDeliveries: refused,
  replayDelivery: refused,
  replayWebhook: refused
}

/** Of what is there and cannot be had: nobody sends the streams, nothing was recorded of them, the fake server speaks no WebRTC, and assets belong to their sources. */
const NOT_MADE = new Set([
  'rendition_not_available',
  'remote_media_not_ready',
  'snapshot_not_available',
  'stream_not_available',
  'protocol_not_available',
  'source_has_assets',
  'source_disabled',
  'recording_not_found',
  'clip_not_found'
])

/** A day on which nothing else was taken. */
const DAY_OF_OTHERS = '2024-01-02'

/** What of the own workspace lists must show: one that shows nothing would pass as well. */
const SHOWS = new Map<string, keyof World>([
  ['listAssets', 'assetId'],
  ['findReferences', 'referenceId'],
  ['listJobs', 'queuedJobId'],
  ['listRecordedSources', 'sourceId'],
  ['listRemoteMedia', 'remoteTaskId'],
  ['streamEvents', 'binnedId'],
  ['listAudit', 'binnedId'],
  ['listWorkspaces', 'workspaceId'],
  ['listSources', 'sourceId']
])

function formOf(bytes: string, fields: Record<string, string>, name = 'new.bin'): FormData {
  const form = new FormData()
  for (const [field, value] of Object.entries(fields)) form.append(field, value)
  form.append('file', new Blob([bytes]), name)
  return form
}

async function tokenFor(base: TestDaemon, role: Role, ...workspaceIds: string[]): Promise<string> {
  return (await base.api.call(createToken, { body: { name: 'scoped', role, workspaceIds } })).secret
}

const clientOf = (base: TestDaemon, secret: string) => openAdmin({ url: base.ready.admin.url, token: secret }).api

async function upload(base: TestDaemon, bytes: string, fields: Record<string, string>, name?: string) {
  const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: formOf(bytes, fields, name) })
  return uploadMedia.response.parse(await answer.json())
}

async function startBase() {
  const base = await startLiveBase({
    env: { FLIGHTCASE_REMOTE_ENABLED: 'true' },
    overrides: { lookup: loopbackNames }
  })
  const db = openDatabase(join(base.dataDir, 'flightcase.db'), migrations)
  onTestFinished(() => db.close())

  function addJob(assetId: string, state: 'queued' | 'cancelled'): string {
    const id = newId()
    db.prepare(
      `INSERT INTO job (id, name, payload_json, state, priority, asset_id, max_attempts, run_at_ms, created_at_ms, updated_at_ms)
       VALUES (?, 'nobody.runs-this', '{}', ?, 0, ?, 1, ?, 0, 0)`
    ).run(id, state, assetId, Date.now() + 3_600_000)
    return id
  }

  async function furnish(workspaceId: string, name: string): Promise<World> {
    const holder = { workspaceId, namespace: 'posts', owner: 'ann' }
    const { asset, reference } = await upload(base, 'the same bytes', holder, name)
    const binned = await upload(base, `in the bin of ${workspaceId}`, { workspaceId }, name)
    await base.api.call(deleteAsset, { params: { assetId: binned.asset.id } })
    const begun = await base.api.call(beginUpload, { body: { workspaceId, name, sizeBytes: 4 } })
    if (begun.isStored) throw new Error('there is no such file yet')
    const { uploadId } = begun
    const part = endpointUrl(putUploadPart.path, { params: { uploadId, number: 1 } })
    await base.fetch(part, { method: 'PUT', body: newId().slice(-4) })
    const tus = await send(base, createTusUpload, newTusUpload({ workspaceId }), base.ready.admin.token)
    const remote = await base.api.call(cacheRemoteMedia, { body: { workspaceId, url: 'http://origin.example/a.jpg' } })
    const source = await base.add({ workspaceId })
    base.mediamtx.addSegment(source.path_name, '2026-06-01T00:00:00Z', 10)
    await base.api.call(getRecordStatus, { params: { sourceId: source.id } })
    const body = { type: 'stream' as const, name: 'Gate', source_id: source.id }
    const stream = await base.api.call(createStreamAsset, { body })
    return {
      workspaceId,
      assetId: asset.id,
      binnedId: binned.asset.id,
      referenceId: reference!.id,
      uploadId,
      tusUploadId: tus.location,
      remoteTaskId: remote.taskId,
      queuedJobId: addJob(asset.id, 'queued'),
      cancelledJobId: addJob(asset.id, 'cancelled'),
      sourceId: source.id,
      streamAssetId: stream.id
    }
  }

  const rowsOf = ({ workspaceId, uploadId, tusUploadId }: World) =>
    [
      db.prepare('SELECT * FROM asset WHERE workspace_id = ? ORDER BY id').all(workspaceId),
      db
        .prepare('SELECT * FROM reference WHERE asset_id IN (SELECT id FROM asset WHERE workspace_id = ?) ORDER BY id')
        .all(workspaceId),
      db
        .prepare('SELECT * FROM job WHERE asset_id IN (SELECT id FROM asset WHERE workspace_id = ?) ORDER BY id')
        .all(workspaceId),
      db
        .prepare('SELECT * FROM upload LEFT JOIN upload_part ON upload_id = id WHERE id IN (?, ?)')
        .all(uploadId, tusUploadId),
      db.prepare('SELECT * FROM remote_media WHERE workspace_id = ?').all(workspaceId),
      db.prepare('SELECT * FROM source WHERE workspace_id = ?').all(workspaceId)
    ] as const

  return { base, furnish, rowsOf }
}

async function send(base: TestDaemon, endpoint: Endpoint, call: Call, secret: string, lastSubject = '') {
  const { raw, body, headers } = call
  const answer = await fetch(base.ready.admin.url + endpointUrl(endpoint.path, call), {
    method: endpoint.method,
    headers: {
      authorization: `Bearer ${secret}`,
      ...(body ? { 'content-type': 'application/json' } : {}),
      ...(headers && { 'tus-resumable': '1.0.0', ...headers })
    },
    ...(raw ? { body: raw } : body ? { body: JSON.stringify(body) } : {})
  })
  const text = endpoint.response === 'event-stream' ? await eventsOf(answer, lastSubject) : await answer.text()
  const code = answer.ok || !text.startsWith('{') ? null : (JSON.parse(text) as { code: string }).code
  // The answer to HEAD has no words.
  const status = answer.status
  return {
    status,
    text: text || String(status),
    code,
    location: answer.headers.get('location')?.split('/').at(-1) ?? ''
  }
}

/** What a stream replays, up to an event of this subject. */
async function eventsOf(answer: Response, subject: string): Promise<string> {
  let text = ''
  for await (const chunk of answer.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes(subject)) break
  }
  return text
}

test('every operation is put into the table of this test', () => {
  const names = adminContract.map(({ name }) => name)
  expect(Object.keys(operations).sort()).toEqual(names.sort())
  for (const { name, role, forScopedTokens } of adminContract)
    expect([name, role === 'none' || forScopedTokens === true]).toEqual([name, operations[name] !== refused])
})

test('no operation shows or changes anything of another workspace', async () => {
  const { base, furnish, rowsOf } = await startBase()
  const others = await furnish('bravo', `DJI_20240102030405_0001_V.bin`)
  const secret = await tokenFor(base, 'admin', 'alpha')
  await base.daemon.idle()
  const before = rowsOf(others)
  expect(before.map((rows) => rows.length)).toEqual([3, 2, 2, 2, 1, 1])
  const traces = [...Object.values(others), DAY_OF_OTHERS]
  for (const endpoint of adminContract) {
    const operation = operations[endpoint.name]!
    if (operation === refused) {
      expect([endpoint.name, await send(base, endpoint, {}, secret)]).toMatchObject([
        endpoint.name,
        { status: 403, code: 'forbidden' }
      ])
      continue
    }
    const own = await furnish('alpha', 'own.bin')
    const isOpen = JSON.stringify(operation(own)) === JSON.stringify(operation(others)) && !operation(own).raw
    if (!isOpen) {
      const { text } = await send(base, endpoint, operation(others), secret)
      expect(`${endpoint.name}: ${text}`).toMatch(
        /"(asset|upload|reference|job|workspace|remote_media|source)_not_found"|: 404$/
      )
    }
    const { status, code, text } = await send(base, endpoint, operation(own), secret, own.binnedId)
    const isNotMade = code !== null && NOT_MADE.has(code)
    expect([endpoint.name, status < 300 || isNotMade, text]).toEqual([endpoint.name, true, expect.anything()])
    for (const trace of traces) expect(`${endpoint.name}: ${text}`).not.toContain(trace)
    const shown = SHOWS.get(endpoint.name)
    if (shown) expect(`${endpoint.name}: ${text}`).toContain(own[shown])
    expect([endpoint.name, rowsOf(others)]).toEqual([endpoint.name, before])
  }
})

test('named things are skipped like such that do not exist', async () => {
  const { base, furnish } = await startBase()
  const [own, others] = [await furnish('alpha', 'a.bin'), await furnish('bravo', 'b.bin')]
  const endpoint = adminContract.find(({ name }) => name === 'deleteReferences')!
  const body = { referenceIds: [others.referenceId, own.referenceId, newId()] }
  const answer = await send(base, endpoint, { body }, await tokenFor(base, 'operator', 'alpha'))
  expect(JSON.parse(answer.text)).toEqual({ deletedCount: 1, isMore: false })
  expect(await base.api.call(getAsset, { params: { assetId: others.assetId } })).toMatchObject({ refCount: 1 })
})

test('several workspaces are listed as one, page by page', async () => {
  const { base } = await startBase()
  const names = ['alpha', 'bravo', 'charlie'].flatMap((workspaceId) => [0, 1, 2].map((n) => `${workspaceId} ${n}`))
  for (const name of names.sort((a, b) => (a.at(-1)! < b.at(-1)! ? -1 : 1)))
    await upload(base, name, { workspaceId: name.split(' ')[0]! }, name)
  const client = clientOf(base, await tokenFor(base, 'viewer', 'alpha', 'charlie', 'nothing-there'))
  const seen: string[] = []
  for (let cursor: string | undefined; ; ) {
    const page = await client.call(listAssets, { query: { limit: 2, cursor } })
    expect(page.items.length).toBeLessThanOrEqual(2)
    seen.push(...page.items.map(({ name }) => name))
    if (page.nextCursor === null) break
    cursor = page.nextCursor
  }
  expect(seen).toEqual(['charlie 2', 'alpha 2', 'charlie 1', 'alpha 1', 'charlie 0', 'alpha 0'])
})

test('it is not told that somebody else has the same bytes', async () => {
  const { base } = await startBase()
  await upload(base, 'the same bytes', { workspaceId: 'bravo' })
  const secret = await tokenFor(base, 'operator', 'alpha')
  const again = async () => {
    const body = formOf('the same bytes', { workspaceId: 'alpha' })
    const answer = await base.fetch(uploadMedia.path, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${secret}` }
    })
    return uploadMedia.response.parse(await answer.json())
  }
  const first = await again()
  expect(first.isDuplicate).toBe(false)
  const assetId = first.asset.id
  expect(await clientOf(base, secret).call(getAsset, { params: { assetId } })).toMatchObject({ copies: 1 })
  expect(await base.api.call(getAsset, { params: { assetId } })).toMatchObject({ copies: 2 })
  expect((await again()).isDuplicate).toBe(true)

  const client = clientOf(base, secret)
  await upload(base, 'four', { workspaceId: 'bravo' })
  const begun = await client.call(beginUpload, { body: { workspaceId: 'alpha', name: 'four', sizeBytes: 4 } })
  if (begun.isStored) throw new Error('alpha has no such file')
  const { uploadId } = begun
  const part = endpointUrl(putUploadPart.path, { params: { uploadId, number: 1 } })
  await base.fetch(part, { method: 'PUT', body: 'four' })
  expect(await client.call(completeUpload, { params: { uploadId } })).toMatchObject({ isDuplicate: false })
})

test('a session has the limits of its token, which may name no impossible workspace', async () => {
  const { base, furnish } = await startBase()
  const others = await furnish('bravo', 'b.bin')
  const secret = await tokenFor(base, 'admin', 'alpha')
  const opened = await base.fetch(openSession.path, { method: 'POST', headers: { authorization: `Bearer ${secret}` } })
  const get = (path: string) =>
    fetch(base.ready.admin.url + path, { headers: { cookie: opened.headers.get('set-cookie')!.split(';')[0]! } })
  expect(await (await get(getStatus.path)).json()).toMatchObject({ workspaceIds: ['alpha'], tokenCommand: null })
  expect((await get(`/media/${others.assetId}`)).status).toBe(404)
  expect((await get(listTokens.path)).status).toBe(403)
  for (const workspaceIds of [[], ['../x']])
    await expect(
      base.api.call(createToken, { body: { name: 'x', role: 'viewer', workspaceIds } })
    ).rejects.toMatchObject({ problem: { code: 'invalid_request' } })
  const { items } = await base.api.call(listTokens, {})
  expect(items.map(({ workspaceIds }) => workspaceIds)).toEqual([['alpha']])
})
