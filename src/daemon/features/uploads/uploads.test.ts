import { createHash, randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { Readable } from 'node:stream'
import { describe, expect, test, vi } from 'vitest'
import { getAsset, listAssets } from '../../../shared/api/assets.ts'
import { collectGarbage } from '../../../shared/api/lifecycle.ts'
import { findReferences } from '../../../shared/api/references.ts'
import { uploadMedia } from '../../../shared/api/uploads.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function form(file: Uint8Array | null, name = 'a.bin', fields: Record<string, string> = {}): FormData {
  const data = new FormData()
  for (const [field, value] of Object.entries(fields)) data.append(field, value)
  if (file) data.append('file', new Blob([file as never]), name)
  return data
}

const post = (base: TestDaemon, body: FormData) => base.fetch(uploadMedia.path, { method: 'POST', body })

async function upload(base: TestDaemon, ...parts: Parameters<typeof form>) {
  const answer = await post(base, form(...parts))
  if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`)
  return uploadMedia.response.parse(await answer.json())
}

async function refusal(answer: Response) {
  const { status, code } = problemSchema.parse(await answer.json())
  return [status, code]
}

const bytesOf = async (base: TestDaemon, assetId: string) =>
  Buffer.from(await (await base.fetch(`/media/${assetId}`)).arrayBuffer())

/** Bytes that often look like the beginning of the boundary `b`. */
const tricky = (sizeBytes: number) =>
  randomBytes(sizeBytes).map((byte) => (byte < 64 ? '\r\n--b\r'.charCodeAt(byte % 6) : byte))

describe('a file from a form', () => {
  test('is kept byte by byte, in whatever pieces it comes', async () => {
    const base = await startTestDaemon()
    const file = tricky(6_000_000)
    const body = Buffer.concat([
      Buffer.from('--bbbb\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'),
      file,
      Buffer.from('\r\n--bbbb\r\ncontent-disposition: form-data; name="name"\r\n\r\nb.bin\r\n--bbbb--\r\n')
    ])
    const pieces = function* () {
      for (let at = 0, sizeBytes = 1; at < body.length; at += sizeBytes, sizeBytes = (sizeBytes * 7 + 13) % 150_001)
        yield body.subarray(at, at + sizeBytes)
    }
    const answer = await base.fetch(uploadMedia.path, {
      method: 'POST',
      headers: { 'content-type': 'multipart/form-data; boundary=bbbb' },
      body: Readable.toWeb(Readable.from(pieces())) as never,
      duplex: 'half'
    } as RequestInit)
    const uploaded = uploadMedia.response.parse(await answer.json())
    expect(uploaded).toMatchObject({ sha256: sha256(file), asset: { name: 'b.bin', sizeBytes: file.length } })
    expect(sha256(await bytesOf(base, uploaded.asset.id))).toBe(sha256(file))
  })

  test('becomes an asset that waits for a reference, with previews, typed by its content', async () => {
    const base = await startTestDaemon()
    const photo = await dronePhoto()
    const { asset, isDuplicate, reference, sha256: digest } = await upload(base, photo, 'scan.dat')
    expect({ isDuplicate, reference, digest }).toEqual({ isDuplicate: false, reference: null, digest: sha256(photo) })
    expect(asset).toMatchObject({
      name: 'scan.dat',
      kind: 'image',
      mimeType: 'image/jpeg',
      state: 'pending_reference',
      sizeBytes: photo.length,
      workspaceId: 'default'
    })
    await base.daemon.idle()
    expect(await base.api.call(getAsset, { params: { assetId: asset.id } })).toMatchObject({
      preview: 'ready',
      sha256: digest,
      objectKey: expect.stringMatching(/^images\/\d{4}\/\d\d\/\d\d\/[0-9a-z]{26}\.dat$/)
    })
    expect((await bytesOf(base, asset.id)).equals(photo)).toBe(true)
  })

  test('is held from the start when a holder is named', async () => {
    const base = await startTestDaemon()
    const { asset, reference } = await upload(base, randomBytes(10), 'a.bin', {
      namespace: 'user_avatars',
      owner: 'ann',
      businessTag: 'avatar',
      workspaceId: 'chat',
      name: 'avatar.bin'
    })
    expect(asset).toMatchObject({ state: 'active', name: 'avatar.bin', workspaceId: 'chat' })
    expect(reference).toMatchObject({ kind: 'strong', namespace: 'user_avatars', owner: 'ann', businessTag: 'avatar' })
    const found = await base.api.call(findReferences, { query: { namespace: 'user_avatars', owner: 'ann' } })
    expect(found.items).toMatchObject([{ assetId: asset.id }])
  })

  test('with bytes that are here already is another asset with the same bytes, kept once', async () => {
    const base = await startTestDaemon()
    const bytes = randomBytes(3_000_000)
    const first = await upload(base, bytes, 'a.bin')
    const second = await upload(base, bytes, 'b.bin')
    expect([first.isDuplicate, second.isDuplicate]).toEqual([false, true])
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toHaveLength(1)
    for (const { asset } of [first, second]) expect((await bytesOf(base, asset.id)).equals(bytes)).toBe(true)
    expect(await base.api.call(getAsset, { params: { assetId: second.asset.id } })).toMatchObject({ copies: 2 })
  })

  test('may be empty, and many may come at once', async () => {
    const base = await startTestDaemon()
    const files = [Buffer.alloc(0), ...Array.from({ length: 20 }, () => randomBytes(100_000))]
    const uploads = await Promise.all(files.map((file) => upload(base, file)))
    for (const [index, { asset }] of uploads.entries())
      expect((await bytesOf(base, asset.id)).equals(files[index]!)).toBe(true)
  })

  test('has a name that is safe to show and to save', async () => {
    const base = await startTestDaemon()
    const { asset } = await upload(base, randomBytes(5), '../../x\u202egpj.jpg')
    expect(asset.name).toBe('xgpj.jpg')
    const long = await upload(base, randomBytes(5), `${'a'.repeat(20_000)}.jpg`)
    expect(Buffer.byteLength(long.asset.name)).toBeLessThanOrEqual(255)
  })
})

describe('what is refused leaves nothing behind', () => {
  const bytes = randomBytes(2_000_000)
  test.each<[string, FormData, [number, string]]>([
    ['no file', form(null, '', { namespace: 'a' }), [400, 'invalid_request']],
    ['an unknown field', form(bytes, 'a', { colour: 'red' }), [400, 'invalid_request']],
    ['an owner without a namespace', form(bytes, 'a', { owner: 'ann' }), [400, 'invalid_request']],
    [
      'a temporary reference without an end',
      form(bytes, 'a', { namespace: 'a', kind: 'temporary' }),
      [400, 'invalid_request']
    ],
    ['another digest', form(bytes, 'a', { sha256: '0'.repeat(64) }), [422, 'digest_mismatch']],
    ['a workspace that is none', form(bytes, 'a', { workspaceId: '../x' }), [400, 'invalid_request']]
  ])('%s', async (_, body, expected) => {
    const base = await startTestDaemon()
    expect(await refusal(await post(base, body))).toEqual(expected)
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
    expect((await base.api.call(listAssets, {})).items).toEqual([])
  })

  test('two files, a file in another field, no form at all', async () => {
    const base = await startTestDaemon()
    const two = form(bytes)
    two.append('file', new Blob([bytes]), 'b')
    const elsewhere = new FormData()
    elsewhere.append('picture', new Blob([bytes]), 'b')
    for (const body of [two, elsewhere]) expect(await refusal(await post(base, body))).toEqual([400, 'invalid_request'])
    for (const type of ['application/json', 'multipart/form-data'])
      expect(
        await refusal(
          await base.fetch(uploadMedia.path, { method: 'POST', body: 'x', headers: { 'content-type': type } })
        )
      ).toEqual([400, 'invalid_request'])
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
  })

  test.each([
    ['a long part without a name', 'form-data', `${'x'.repeat(70_000)}`],
    ['a part without a name', 'form-data; filename="a"', 'x']
  ])('%s', async (_, disposition, value) => {
    const base = await startTestDaemon()
    const body = `--b\r\ncontent-disposition: ${disposition}\r\n\r\n${value}\r\n--b--\r\n`
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const answer = await base.fetch(uploadMedia.path, { method: 'POST', body, headers })
    expect(await refusal(answer)).toEqual([400, 'invalid_request'])
    expect(storedKeys(base.dataDir)).toEqual([])
  })

  test('a workspace nobody knows, where only known ones count', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_PILOT_WORKSPACE_MODE: 'strict' } })
    expect(await refusal(await post(base, form(bytes, 'a', { workspaceId: 'strangers' })))).toEqual([
      404,
      'workspace_not_found'
    ])
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
  })

  test('more than is allowed', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_MAX_GB: '0.001' } })
    expect(await refusal(await post(base, form(bytes)))).toEqual([413, 'payload_too_large'])
    expect((await upload(base, randomBytes(1_000_000))).asset.sizeBytes).toBe(1_000_000)
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toHaveLength(1)
  })

  test('a connection that breaks in the middle', async () => {
    const base = await startTestDaemon()
    const { hostname, port } = new URL(base.ready.admin.url)
    const socket = connect(Number(port), hostname)
    socket.write(
      `POST ${uploadMedia.path} HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${base.ready.admin.token}\r\n` +
        'content-type: multipart/form-data; boundary=b\r\ncontent-length: 9000000\r\n\r\n' +
        '--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    )
    const staged = () => storedKeys(base.dataDir)
    await new Promise<void>((resolve) => socket.write(randomBytes(1_000_000), () => resolve()))
    socket.destroy()
    await vi.waitFor(() => expect(staged()).toEqual([]))
    expect((await base.api.call(listAssets, {})).items).toEqual([])
    // The base is not impressed.
    await upload(base, randomBytes(10))
  })

  test('a form that ends in the middle of the file', async () => {
    const base = await startTestDaemon()
    const cut = Buffer.concat([
      Buffer.from('--b\r\ncontent-disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'),
      randomBytes(500_000)
    ])
    const headers = { 'content-type': 'multipart/form-data; boundary=b' }
    const answer = await base.fetch(uploadMedia.path, { method: 'POST', body: cut, headers })
    expect(await refusal(answer)).toEqual([400, 'invalid_request'])
    await base.daemon.idle()
    expect(storedKeys(base.dataDir)).toEqual([])
  })

  test('without the right to', async () => {
    const base = await startTestDaemon()
    const answer = await fetch(base.ready.admin.url + uploadMedia.path, { method: 'POST', body: form(bytes) })
    expect(answer.status).toBe(401)
    expect(storedKeys(base.dataDir)).toEqual([])
  })
})

test('an upload that nobody refers to goes to the bin and from there for good', async () => {
  const base = await startTestDaemon({ env: { FLIGHTCASE_GRACE_HOURS: '0', FLIGHTCASE_BIN_DAYS: '0' } })
  await upload(base, await dronePhoto(), 'a.jpg')
  await base.daemon.idle()
  const collect = (dryRun = false) => base.api.call(collectGarbage, { body: { dryRun } })
  expect(await collect(true)).toMatchObject({ binned: 1 })
  expect(await collect()).toMatchObject({ binned: 1 })
  expect(await collect()).toMatchObject({ purged: 1 })
  await base.daemon.idle()
  expect(storedKeys(base.dataDir)).toEqual([])
})
