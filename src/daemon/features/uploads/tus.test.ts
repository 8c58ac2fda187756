import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, rmSync, statSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { Upload, type UploadOptions } from 'tus-js-client'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { getAsset, listAssets } from '../../../shared/api/assets.ts'
import { ASSET_ID_HEADER, TUS_PATH } from '../../../shared/api/tus.ts'
import { abortUpload, completeUpload, getUpload, uploadMedia } from '../../../shared/api/uploads.ts'
import { listWorkspaces, setWorkspaceQuota } from '../../../shared/api/workspaces.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { openDistantStore } from '../../testing/distant-store.ts'
import { ManualClock } from '../../testing/manual-clock.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

const MIB = 1024 ** 2
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

/** The official client, until it is through or the server has `stopAt` bytes. */
function sendByClient(
  base: TestDaemon,
  bytes: Buffer,
  options: Partial<UploadOptions> & { stopAt?: number } = {}
): Promise<{ url: string; assetId: string | undefined; isStopped: boolean }> {
  const { stopAt = Number.POSITIVE_INFINITY, ...rest } = options
  return new Promise((resolve, reject) => {
    const upload = new Upload(bytes, {
      endpoint: base.ready.admin.url + TUS_PATH,
      headers: { authorization: `Bearer ${base.ready.admin.token}` },
      retryDelays: null,
      onError: reject,
      onChunkComplete: (_, acceptedBytes) => {
        if (acceptedBytes >= stopAt)
          upload.abort().then(() => resolve({ url: upload.url ?? '', assetId: undefined, isStopped: true }), reject)
      },
      onSuccess: ({ lastResponse }) =>
        resolve({ url: upload.url ?? '', assetId: lastResponse.getHeader(ASSET_ID_HEADER), isStopped: false }),
      ...rest
    })
    upload.start()
  })
}

const tus = (base: TestDaemon, method: string, path: string, headers: Record<string, string> = {}, body?: Uint8Array) =>
  base.fetch(path, {
    method,
    headers: { 'tus-resumable': '1.0.0', ...headers },
    ...(body && { body: body as never })
  })

const create = async (base: TestDaemon, sizeBytes: number, metadata = '') => {
  const headers = { 'upload-length': String(sizeBytes), ...(metadata && { 'upload-metadata': metadata }) }
  const answer = await tus(base, 'POST', TUS_PATH, headers)
  expect(answer.status).toBe(201)
  return answer.headers.get('location') ?? ''
}

const append = (base: TestDaemon, path: string, offset: number, bytes: Uint8Array) =>
  tus(
    base,
    'PATCH',
    path,
    { 'upload-offset': String(offset), 'content-type': 'application/offset+octet-stream' },
    bytes
  )

/** A transfer of `length` bytes from the beginning, of which none is sent yet. */
function begunPatch(base: TestDaemon, path: string, length: number) {
  const begun = httpRequest(base.ready.admin.url + path, {
    method: 'PATCH',
    headers: {
      authorization: `Bearer ${base.ready.admin.token}`,
      'tus-resumable': '1.0.0',
      'upload-offset': 0,
      'content-type': 'application/offset+octet-stream',
      'content-length': length
    }
  })
  begun.on('error', () => {})
  return begun
}

const offsetOf = async (base: TestDaemon, path: string) =>
  Number((await tus(base, 'HEAD', path)).headers.get('upload-offset') ?? Number.NaN)

async function refusal(answer: Response) {
  expect(answer.headers.get('content-type')).toContain('application/problem+json')
  const { status, code } = problemSchema.parse(await answer.json())
  return [status, code]
}

const digestOf = async (base: TestDaemon, assetId = '') =>
  (await base.api.call(getAsset, { params: { assetId } })).sha256

const metadata = (fields: Record<string, string>) =>
  Object.entries(fields)
    .map(([name, value]) => `${name} ${Buffer.from(value).toString('base64')}`)
    .join(',')

const idOf = (path: string) => path.split('/').at(-1) ?? ''

describe('the official tus client', () => {
  test('uploads a file that becomes an asset with the reference asked for', async () => {
    const base = await startTestDaemon()
    const photo = await dronePhoto()
    const { url, assetId } = await sendByClient(base, photo, {
      metadata: {
        filename: 'x/a.jpg',
        filetype: 'text/html',
        workspaceId: 'chat',
        namespace: 'posts',
        owner: 'ann',
        sha256: sha256(photo)
      }
    })
    expect(url.endsWith(`${TUS_PATH}/${assetId}`)).toBe(true)
    await base.daemon.idle()
    expect(await base.api.call(getAsset, { params: { assetId: assetId ?? '' } })).toMatchObject({
      name: 'a.jpg',
      mimeType: 'image/jpeg',
      state: 'active',
      workspaceId: 'chat',
      sha256: sha256(photo),
      preview: 'ready'
    })
    expect(storedKeys(base.dataDir).filter((key) => !key.startsWith('renditions/'))).toHaveLength(1)
    expect(readdirSync(join(base.dataDir, 'upload-tails'))).toEqual([])
  })

  test.each([
    ['in one piece', {}],
    ['in small pieces', { chunkSize: 300_001 }],
    ['in pieces larger than a part', { chunkSize: 9 * MIB }],
    ['with the first bytes in the first call', { uploadDataDuringCreation: true, chunkSize: 5 * MIB }]
  ])('%s', async (_, options) => {
    const base = await startTestDaemon()
    const bytes = randomBytes(17 * MIB + 5)
    const { assetId } = await sendByClient(base, bytes, options)
    expect(await digestOf(base, assetId)).toBe(sha256(bytes))
  })

  test('goes on after an interruption and a restart where it was, also inside a part', async () => {
    const dataDir = join(temporaryFolder('tus'), 'data')
    const first = await startTestDaemon({ dataDir })
    const bytes = randomBytes(20 * MIB)
    const stopped = await sendByClient(first, bytes, { chunkSize: 3 * MIB, stopAt: 10 * MIB })
    expect(stopped.isStopped).toBe(true)
    await first.daemon.stop()
    const second = await startTestDaemon({ dataDir })
    const path = new URL(stopped.url).pathname
    expect(await offsetOf(second, path)).toBe(12 * MIB)
    const seen: number[] = []
    const { assetId } = await sendByClient(second, bytes, {
      uploadUrl: second.ready.admin.url + path,
      onProgress: (sentBytes) => void seen.push(sentBytes)
    })
    expect(seen[0]).toBeGreaterThanOrEqual(12 * MIB)
    expect(assetId).toBe(idOf(path))
    expect(await digestOf(second, assetId)).toBe(sha256(bytes))
  })

  test('gives an upload up, and nothing is left', async () => {
    const daemon = await startTestDaemon()
    const { url } = await sendByClient(daemon, randomBytes(12 * MIB), { chunkSize: 3 * MIB, stopAt: 9 * MIB })
    await Upload.terminate(url, { headers: { authorization: `Bearer ${daemon.ready.admin.token}` } })
    expect((await tus(daemon, 'HEAD', new URL(url).pathname)).status).toBe(404)
    await daemon.daemon.idle()
    expect(storedKeys(daemon.dataDir)).toEqual([])
    expect(readdirSync(join(daemon.dataDir, 'upload-tails'))).toEqual([])
  })
})

describe('a tus upload', () => {
  test('says what the server can do, to anybody', async () => {
    const base = await startTestDaemon()
    const answer = await fetch(base.ready.admin.url + TUS_PATH, { method: 'OPTIONS' })
    expect(answer.status).toBe(204)
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'tus-version': '1.0.0',
      'tus-extension': 'creation,creation-with-upload,expiration,termination',
      'tus-max-size': '100000000000'
    })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })

  test('keeps what came before the connection broke', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(9 * MIB)
    const path = await create(base, bytes.length)
    const broken = begunPatch(base, path, bytes.length)
    await new Promise<void>((resolve) => broken.write(bytes.subarray(0, MIB), () => resolve()))
    const file = join(base.dataDir, 'upload-tails', idOf(path))
    await vi.waitFor(() => expect(statSync(file).size).toBeGreaterThan(500_000))
    broken.destroy()
    const offset = await vi.waitFor(async () => {
      const found = await offsetOf(base, path)
      expect(found).toBeGreaterThan(500_000)
      return found
    })
    expect((await append(base, path, offset, bytes.subarray(offset))).status).toBe(204)
    expect(await digestOf(base, idOf(path))).toBe(sha256(bytes))
  })

  test('whose sender stalls goes on with who comes later', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(2 * MIB)
    const path = await create(base, bytes.length)
    const stalled = begunPatch(base, path, bytes.length)
    await new Promise<void>((resolve) => stalled.write(bytes.subarray(0, MIB), () => resolve()))
    await vi.waitFor(() => expect(statSync(join(base.dataDir, 'upload-tails', idOf(path))).size).toBe(MIB))
    expect(await offsetOf(base, path)).toBe(MIB)
    const last = await append(base, path, MIB, bytes.subarray(MIB))
    expect(last.headers.get(ASSET_ID_HEADER)).toBe(idOf(path))
    expect(await digestOf(base, idOf(path))).toBe(sha256(bytes))
    stalled.destroy()
  })

  test('tells how far it is, what was said about it, and when it ends', async () => {
    const base = await startTestDaemon()
    const said = metadata({ filename: 'a b.jpg', filetype: 'image/jpeg', owner: 'ann', namespace: 'n' })
    const path = await create(base, 10, said)
    const answer = await append(base, path, 0, Buffer.from('abc'))
    expect(answer.status).toBe(204)
    expect(answer.headers.get('upload-offset')).toBe('3')
    const hours = (Date.parse(answer.headers.get('upload-expires') ?? '') - Date.now()) / 3_600_000
    expect(Math.round(hours)).toBe(48)
    const head = await tus(base, 'HEAD', path)
    expect(Object.fromEntries(head.headers)).toMatchObject({
      'upload-offset': '3',
      'upload-length': '10',
      'upload-metadata': said,
      'cache-control': 'no-store',
      'tus-resumable': '1.0.0'
    })
    expect(head.headers.get(ASSET_ID_HEADER)).toBeNull()
    const seen = await base.api.call(getUpload, { params: { uploadId: idOf(path) } })
    expect(seen).toMatchObject({ state: 'open', name: 'a b.jpg', sizeBytes: 10, offsetBytes: 3 })
    await expect(base.api.call(completeUpload, { params: { uploadId: idOf(path) } })).rejects.toMatchObject({
      problem: { code: 'upload_incomplete' }
    })
    const last = await append(base, path, 3, Buffer.from('defghij'))
    expect(last.headers.get(ASSET_ID_HEADER)).toBe(idOf(path))
    const done = await tus(base, 'HEAD', path)
    expect([done.headers.get('upload-offset'), done.headers.get(ASSET_ID_HEADER)]).toEqual(['10', idOf(path)])
    expect((await base.api.call(getUpload, { params: { uploadId: idOf(path) } })).state).toBe('done')
  })

  test('may be of nothing', async () => {
    const base = await startTestDaemon()
    const answer = await tus(base, 'POST', TUS_PATH, { 'upload-length': '0' })
    expect(answer.status).toBe(201)
    const assetId = answer.headers.get(ASSET_ID_HEADER) ?? ''
    expect(await base.api.call(getAsset, { params: { assetId } })).toMatchObject({ sizeBytes: 0, name: 'file' })
  })

  test('goes back to what is durable when the bytes beside the store were lost', async () => {
    const dataDir = join(temporaryFolder('tus'), 'data')
    const first = await startTestDaemon({ dataDir })
    const bytes = randomBytes(10 * MIB)
    const path = await create(first, bytes.length)
    await append(first, path, 0, bytes.subarray(0, 9 * MIB))
    expect(await offsetOf(first, path)).toBe(9 * MIB)
    await first.daemon.stop()
    rmSync(join(dataDir, 'upload-tails'), { recursive: true })
    const second = await startTestDaemon({ dataDir })
    expect(await offsetOf(second, path)).toBe(8 * MIB)
    expect((await append(second, path, 8 * MIB, bytes.subarray(8 * MIB))).status).toBe(204)
    expect(await digestOf(second, idOf(path))).toBe(sha256(bytes))
  })

  test('that nobody ends is swept in time, with its bytes', async () => {
    const dataDir = join(temporaryFolder('tus'), 'data')
    const first = await startTestDaemon({ dataDir })
    const path = await create(first, 10 * MIB)
    await append(first, path, 0, randomBytes(9 * MIB))
    await first.daemon.stop()
    const clock = new ManualClock(Date.now() + 3 * 24 * 3_600_000)
    const second = await startTestDaemon({ dataDir, overrides: { clock } })
    await expect.poll(async () => (await tus(second, 'HEAD', path)).status).toBe(404)
    await expect.poll(() => readdirSync(join(dataDir, 'upload-tails'))).toEqual([])
    await second.daemon.idle()
    expect(storedKeys(dataDir)).toEqual([])
  })

  test('that takes long keeps no other from being swept', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const clock = new ManualClock(Date.now())
    const base = await startTestDaemon({ overrides: { clock } })
    const tails = () => readdirSync(join(base.dataDir, 'upload-tails'))
    const paths = [await create(base, 10 * MIB), await create(base, 10 * MIB)]
    // The sweep comes to it first.
    const [slow = '', left = ''] = paths.sort()
    const sending = begunPatch(base, slow, 10 * MIB)
    sending.write(randomBytes(MIB))
    await append(base, left, 0, randomBytes(MIB))
    await vi.waitFor(() => expect(tails()).toEqual([idOf(slow), idOf(left)]))
    clock.advanceMs(3 * 24 * 3_600_000)
    vi.advanceTimersByTime(3_600_000)
    await vi.waitFor(() => expect(tails()).toEqual([idOf(slow)]))
    sending.destroy()
  })

  test('is refused with the reason, and stays what it was', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_MAX_GB: '0.001' } })
    const begin = (headers: Record<string, string>) => tus(base, 'POST', TUS_PATH, headers)
    for (const [headers, expected] of [
      [{}, [400, 'invalid_request']],
      [{ 'upload-length': '-1' }, [400, 'invalid_request']],
      [{ 'upload-length': '1e3' }, [400, 'invalid_request']],
      [{ 'upload-length': '1000001' }, [413, 'payload_too_large']],
      [{ 'upload-defer-length': '1' }, [400, 'invalid_request']],
      [{ 'upload-length': '1', 'upload-concat': 'partial' }, [400, 'invalid_request']],
      [{ 'upload-length': '1', 'upload-metadata': 'name =====' }, [400, 'invalid_request']],
      [{ 'upload-length': '1', 'upload-metadata': metadata({ colour: 'red' }) }, [400, 'invalid_request']],
      [{ 'upload-length': '1', 'upload-metadata': metadata({ owner: 'ann' }) }, [400, 'invalid_request']],
      [{ 'upload-length': '1', 'upload-metadata': metadata({ workspaceId: '../x' }) }, [400, 'invalid_request']],
      [{ 'upload-length': '1', 'tus-resumable': '0.2.2' }, [412, 'tus_version_unsupported']]
    ] as const)
      expect([headers, await refusal(await begin(headers))]).toEqual([headers, expected])
    expect(await refusal(await base.fetch(TUS_PATH, { method: 'POST' }))).toEqual([412, 'tus_version_unsupported'])

    const path = await create(base, 6)
    expect(await refusal(await append(base, path, 1, Buffer.from('abc')))).toEqual([409, 'upload_offset_wrong'])
    expect(await refusal(await append(base, path, 0, Buffer.from('abcdefg')))).toEqual([413, 'payload_too_large'])
    expect(await refusal(await tus(base, 'PATCH', path, { 'upload-offset': '0' }, Buffer.from('abc')))).toEqual([
      400,
      'invalid_request'
    ])
    const strange = `${TUS_PATH}/${'x'.repeat(26)}`
    expect(await refusal(await append(base, strange, 0, Buffer.from('abc')))).toEqual([404, 'upload_not_found'])
    expect(await refusal(await tus(base, 'DELETE', strange))).toEqual([404, 'upload_not_found'])
    expect(await refusal(await tus(base, 'DELETE', `${TUS_PATH}/..%2f..`))).toEqual([400, 'invalid_request'])
    const part = await base.fetch(`/api/v1/uploads/${idOf(path)}/parts/1`, { method: 'PUT', body: 'abcdef' })
    expect(await refusal(part)).toEqual([404, 'upload_not_found'])
    expect(await offsetOf(base, path)).toBe(0)
    const stranger = await fetch(base.ready.admin.url + path, { method: 'HEAD', headers: { 'tus-resumable': '1.0.0' } })
    expect(stranger.status).toBe(401)

    expect((await append(base, path, 0, Buffer.from('abcdef'))).status).toBe(204)
    expect(await refusal(await tus(base, 'DELETE', path))).toEqual([400, 'invalid_request'])
    expect((await base.api.call(listAssets, {})).items).toHaveLength(1)
  })

  test('with all its bytes that could not be completed is completed when somebody asks', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_QUOTA_GB: '0.000001' } })
    const path = await create(base, 600)
    await append(base, path, 0, Buffer.alloc(500))
    const form = new FormData()
    form.append('file', new Blob(['x'.repeat(500)]), 'a.txt')
    expect((await base.fetch(uploadMedia.path, { method: 'POST', body: form })).status).toBe(200)
    expect(await refusal(await append(base, path, 500, Buffer.alloc(100)))).toEqual([413, 'quota_exceeded'])
    expect((await tus(base, 'HEAD', path)).status).toBe(413)
    await base.api.call(setWorkspaceQuota, { params: { workspaceId: 'default' }, body: { quotaBytes: 2000 } })
    expect((await tus(base, 'HEAD', path)).headers.get(ASSET_ID_HEADER)).toBe(idOf(path))
    expect(await digestOf(base, idOf(path))).toBe(sha256(Buffer.alloc(600)))
  })

  test('with all its bytes that cannot be completed can be given up', async () => {
    const base = await startTestDaemon()
    await append(base, await create(base, 1), 0, Buffer.alloc(1))
    const path = await create(base, 600)
    await base.api.call(setWorkspaceQuota, { params: { workspaceId: 'default' }, body: { quotaBytes: 500 } })
    expect(await refusal(await append(base, path, 0, Buffer.alloc(600)))).toEqual([413, 'quota_exceeded'])
    expect((await tus(base, 'DELETE', path)).status).toBe(204)
    expect((await tus(base, 'HEAD', path)).status).toBe(404)
    const { items } = await base.api.call(listWorkspaces, { query: {} })
    expect(items).toMatchObject([{ pendingBytes: 0 }])
  })

  test('keeps what came while the store was away', async () => {
    const { env, gate } = await openDistantStore()
    const base = await startTestDaemon({ env })
    const path = await create(base, 6)
    await append(base, path, 0, Buffer.from('abc'))
    gate.cut()
    expect(await refusal(await append(base, path, 3, Buffer.from('def')))).toEqual([503, 'store_unreachable'])
    gate.reopen()
    expect((await tus(base, 'HEAD', path)).headers.get(ASSET_ID_HEADER)).toBe(idOf(path))
    expect(await digestOf(base, idOf(path))).toBe(sha256(Buffer.from('abcdef')))
  })

  test('given up through the other address is over here, too', async () => {
    const base = await startTestDaemon()
    const path = await create(base, 6)
    await append(base, path, 0, Buffer.from('abc'))
    await base.api.call(abortUpload, { params: { uploadId: idOf(path) } })
    expect(await refusal(await append(base, path, 3, Buffer.from('def')))).toEqual([404, 'upload_not_found'])
  })
})
