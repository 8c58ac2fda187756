import { createHash, randomBytes } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { abortUpload, beginUpload, completeUpload, getUpload } from '../../../shared/api/uploads.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { temporaryFolder } from '../../testing/test-database.ts'

const MIB = 1024 ** 2
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
const refused = (code: string, status: number) => ({ status, problem: { code } })

async function begin(base: TestDaemon, bytes: Uint8Array, fields: Record<string, unknown> = {}) {
  const body = { name: 'flight.mp4', sizeBytes: bytes.length, ...fields }
  const begun = await base.api.call(beginUpload, { body: body as never })
  if (begun.isStored) throw new Error('the file is stored already')
  const { uploadId, partSizeBytes, partCount } = begun
  const part = (number: number) => bytes.subarray((number - 1) * partSizeBytes, number * partSizeBytes)
  return { uploadId, partCount, part }
}

const put = (base: TestDaemon, uploadId: string, number: number, bytes: Uint8Array, digest?: string) =>
  base.fetch(`/api/v1/uploads/${uploadId}/parts/${number}${digest === undefined ? '' : `?sha256=${digest}`}`, {
    method: 'PUT',
    body: bytes as never
  })

async function problem(answer: Response) {
  const { status, code } = problemSchema.parse(await answer.json())
  return [status, code]
}

const complete = (base: TestDaemon, uploadId: string) => base.api.call(completeUpload, { params: { uploadId } })
const received = async (base: TestDaemon, uploadId: string) =>
  (await base.api.call(getUpload, { params: { uploadId } })).parts!.received.map(({ number }) => number)

describe('an upload in parts', () => {
  test('in any order, several at a time, some twice, becomes one file', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(20 * MIB + 17)
    const { uploadId, partCount, part } = await begin(base, bytes, { namespace: 'posts', sha256: sha256(bytes) })
    expect(partCount).toBe(3)
    await expect(complete(base, uploadId)).rejects.toMatchObject(refused('upload_incomplete', 409))
    const answers = await Promise.all([3, 1, 2].map((number) => put(base, uploadId, number, part(number))))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect(await (await put(base, uploadId, 2, part(2), sha256(part(2)))).json()).toEqual({
      number: 2,
      sha256: sha256(part(2))
    })
    expect(await received(base, uploadId)).toEqual([1, 2, 3])
    const [done, again] = await Promise.all([complete(base, uploadId), complete(base, uploadId)])
    expect(done).toMatchObject({
      asset: { id: uploadId, state: 'active', sizeBytes: bytes.length },
      sha256: sha256(bytes)
    })
    expect(again.asset.id).toBe(uploadId)
    await base.daemon.idle()
    const stored = Buffer.from(await (await base.fetch(`/media/${uploadId}`)).arrayBuffer())
    expect(stored.equals(bytes)).toBe(true)
    expect(storedKeys(base.dataDir)).toHaveLength(1)
  })

  test('goes on after a restart where it was', async () => {
    const dataDir = join(temporaryFolder('parts'), 'data')
    const first = await startTestDaemon({ dataDir })
    const bytes = randomBytes(10 * MIB)
    const { uploadId, part } = await begin(first, bytes)
    await put(first, uploadId, 1, part(1))
    await first.daemon.stop()
    const second = await startTestDaemon({ dataDir })
    expect(await received(second, uploadId)).toEqual([1])
    await put(second, uploadId, 2, part(2))
    expect(await complete(second, uploadId)).toMatchObject({ sha256: sha256(bytes) })
  })

  test('of an empty file has one part', async () => {
    const base = await startTestDaemon()
    const { uploadId, partCount } = await begin(base, Buffer.alloc(0))
    expect(partCount).toBe(1)
    expect((await put(base, uploadId, 1, Buffer.alloc(0))).status).toBe(200)
    expect((await complete(base, uploadId)).asset.sizeBytes).toBe(0)
  })

  test('refuses parts that are none of it, and keeps those it has', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(9 * MIB)
    const { uploadId, part } = await begin(base, bytes)
    await put(base, uploadId, 2, part(2))
    expect(await problem(await put(base, uploadId, 3, part(2)))).toEqual([404, 'part_not_found'])
    expect(await problem(await put(base, uploadId, 0, part(2)))).toEqual([400, 'invalid_request'])
    expect(await problem(await put(base, uploadId, 2, part(2).subarray(1)))).toEqual([400, 'part_size_wrong'])
    expect(await problem(await put(base, uploadId, 2, randomBytes(MIB), sha256(part(2))))).toEqual([
      422,
      'digest_mismatch'
    ])
    expect(await problem(await put(base, 'x'.repeat(26), 1, part(1)))).toEqual([404, 'upload_not_found'])
    expect(await received(base, uploadId)).toEqual([2])
    await put(base, uploadId, 1, part(1))
    expect((await complete(base, uploadId)).sha256).toBe(sha256(bytes))
  })

  test('a part whose sender stalls is taken over by who sends it later', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(9 * MIB)
    const { uploadId, part } = await begin(base, bytes)
    const stalled = httpRequest(`${base.ready.admin.url}/api/v1/uploads/${uploadId}/parts/1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${base.ready.admin.token}`, 'content-length': 8 * MIB }
    })
    const ended = new Promise<number | undefined>((resolve, reject) => {
      stalled.once('error', reject)
      stalled.once('response', (answer) => resolve(answer.statusCode))
    })
    await new Promise<void>((resolve) => stalled.write(part(1).subarray(0, MIB), () => resolve()))
    // The stalled one may reach the server last; then it is the one that takes over.
    await vi.waitFor(async () => expect((await put(base, uploadId, 1, part(1))).status).toBe(200), 30_000)
    expect(await ended).toBe(409)
    await put(base, uploadId, 2, part(2))
    expect((await complete(base, uploadId)).sha256).toBe(sha256(bytes))
  })

  test('that breaks in the middle of a part loses only that part', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(9 * MIB)
    const { uploadId, part } = await begin(base, bytes)
    await put(base, uploadId, 2, part(2))
    const broken = httpRequest(`${base.ready.admin.url}/api/v1/uploads/${uploadId}/parts/1`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${base.ready.admin.token}`, 'content-length': 8 * MIB }
    })
    broken.on('error', () => {})
    await new Promise<void>((resolve) => broken.write(part(1).subarray(0, MIB), () => resolve()))
    broken.destroy()
    expect(await received(base, uploadId)).toEqual([2])
    await expect(complete(base, uploadId)).rejects.toMatchObject({
      problem: { code: 'upload_incomplete', details: { missingParts: [1], missingCount: 1 } }
    })
    await put(base, uploadId, 1, part(1))
    expect((await complete(base, uploadId)).sha256).toBe(sha256(bytes))
  })

  test('whose bytes are not those announced ends, and leaves nothing', async () => {
    const base = await startTestDaemon()
    const { uploadId, part } = await begin(base, Buffer.from('abc'), { sha256: '0'.repeat(64) })
    await put(base, uploadId, 1, part(1))
    await expect(complete(base, uploadId)).rejects.toMatchObject(refused('digest_mismatch', 422))
    await expect(complete(base, uploadId)).rejects.toMatchObject(refused('upload_not_found', 404))
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
  })

  test('that is given up leaves nothing', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(9 * MIB)
    const { uploadId, part } = await begin(base, bytes)
    await put(base, uploadId, 1, part(1))
    await base.api.call(abortUpload, { params: { uploadId } })
    expect(await problem(await put(base, uploadId, 2, part(2)))).toEqual([404, 'upload_not_found'])
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
  })
})
