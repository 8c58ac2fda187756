import { describe, expect, test } from 'vitest'
import { deleteAsset } from '../../../shared/api/assets.ts'
import { getFileUrl, getMediaObject, replaceLinkKey } from '../../../shared/api/delivery.ts'
import { AuditLog } from '../../audit/audit-log.ts'
import { systemClock } from '../../clock.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { testDatabase } from '../../testing/test-database.ts'
import { mediaOf, refusal, startDelivery } from './delivery-bench.ts'
import { LinkSigner } from './link-signer.ts'

type Query = { expiresInSeconds?: number; rendition?: 'thumbnail-256' | 'thumbnail-1024'; download?: boolean }
type Delivery = Awaited<ReturnType<typeof startDelivery>>

const urlOf = ({ base }: Delivery, assetId: string, query: Query = {}) =>
  base.api.call(getFileUrl, { params: { assetId }, query: query as never })

/** The address with some of its parts changed. */
function changed(url: string, change: (url: URL) => void): string {
  const copy = new URL(url)
  change(copy)
  return copy.href
}

describe('a link signed by the base', () => {
  test('opens without a token until it expires', async () => {
    let nowMs = Date.now()
    const delivery = await startDelivery({}, { clock: { nowMs: () => nowMs } })
    const assetId = await delivery.upload('0123456789', { access: 'private' })
    const link = await urlOf(delivery, assetId, { expiresInSeconds: 60 })
    expect(link).toMatchObject({ mode: 'signed', cdnUrl: null })
    const expiresAtMs = Date.parse(link.expiresAt!)
    expect(expiresAtMs - nowMs).toBeGreaterThan(58_000)
    expect(expiresAtMs - nowMs).toBeLessThanOrEqual(60_000)
    const answer = await delivery.read(link.url, { range: 'bytes=2-4' })
    expect([answer.status, await answer.text()]).toEqual([206, '234'])
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    nowMs = expiresAtMs - 10_500
    expect((await delivery.read(link.url)).headers.get('cache-control')).toBe('private, max-age=10')
    nowMs = expiresAtMs
    expect(await refusal(await delivery.read(link.url))).toEqual([403, 'link_expired'])
    expect((await delivery.readAsAdmin(link.url.slice(delivery.url.length))).status).toBe(200)
  })

  test('is worth nothing once any part of it is changed', async () => {
    const delivery = await startDelivery()
    const { upload, read } = delivery
    const [assetId, other] = [await upload('one'), await upload('two')]
    const { url } = await urlOf(delivery, assetId, { download: true })
    expect((await read(url)).status).toBe(200)
    const foreign = (await urlOf(delivery, other)).url
    const signature = new URL(url).searchParams.get('signature')!
    const flipped = (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)
    const later = String(Number(new URL(url).searchParams.get('expires')) + 1)
    const changes: Record<string, (url: URL) => void> = {
      'another asset': (to) => {
        to.pathname = mediaOf(other)
      },
      'another expiry': ({ searchParams }) => searchParams.set('expires', later),
      'no expiry': ({ searchParams }) => searchParams.delete('expires'),
      'an endless expiry': ({ searchParams }) => searchParams.set('expires', '9'.repeat(15)),
      'shown instead of saved': ({ searchParams }) => searchParams.set('download', 'false'),
      'a parameter less': ({ searchParams }) => searchParams.delete('download'),
      'a parameter more': ({ searchParams }) => searchParams.append('v', '1'),
      'an unknown key': ({ searchParams }) => searchParams.set('key', 'nobody'),
      'another signature': ({ searchParams }) => searchParams.set('signature', flipped),
      'a shorter signature': ({ searchParams }) => searchParams.set('signature', signature.slice(0, -4)),
      'an empty signature': ({ searchParams }) => searchParams.set('signature', ''),
      'the signature of another asset': ({ searchParams }) =>
        searchParams.set('signature', new URL(foreign).searchParams.get('signature')!)
    }
    for (const [name, change] of Object.entries(changes))
      expect([name, ...(await refusal(await read(changed(url, change))))]).toEqual([name, 403, 'link_invalid'])
    expect((await read(`${url}?x=1`)).status).toBe(403)
    for (const twice of [`&expires=${later}`, `&signature=${signature}`])
      expect(await refusal(await read(url + twice))).toEqual([400, 'invalid_request'])
    const unsigned = changed(url, ({ searchParams }) => searchParams.delete('signature'))
    expect(await refusal(await read(unsigned))).toEqual([401, 'unauthenticated'])
    const turned = changed(url, ({ searchParams }) => searchParams.sort())
    expect((await read(turned)).status).toBe(200)
  })

  test('is worth nothing at another base, and after a change of who may read', async () => {
    const [here, there] = [await startDelivery(), await startDelivery()]
    const assetId = await here.upload('hello', { access: 'signed' })
    const { url } = await urlOf(here, assetId)
    expect((await here.read(url)).status).toBe(200)
    expect((await there.read(url.replace(here.url, there.url))).status).toBe(403)
    await here.setAccess(assetId, 'private')
    expect(await refusal(await here.read(url))).toEqual([403, 'link_invalid'])
  })

  test('survives a new key, unless it is made to end links', async () => {
    const delivery = await startDelivery()
    const assetId = await delivery.upload('hello')
    const first = (await urlOf(delivery, assetId)).url
    await delivery.base.api.call(replaceLinkKey, { body: {} })
    const second = (await urlOf(delivery, assetId)).url
    expect(new URL(second).searchParams.get('key')).not.toBe(new URL(first).searchParams.get('key'))
    expect([(await delivery.read(first)).status, (await delivery.read(second)).status]).toEqual([200, 200])
    await delivery.base.api.call(replaceLinkKey, { body: { endLinks: true } })
    expect([(await delivery.read(first)).status, (await delivery.read(second)).status]).toEqual([403, 403])
    expect((await delivery.read((await urlOf(delivery, assetId)).url)).status).toBe(200)
  })

  test('is not signed with a key that could not be kept', () => {
    const db = testDatabase()
    const signer = new LinkSigner({ db, clock: systemClock, audit: new AuditLog({ db, clock: systemClock }) })
    const keyIn = ({ address }: { address: string }) => new URLSearchParams(address.split('?')[1]).get('key')
    const before = keyIn(signer.sign({ path: '/' }, 'signed', 60))
    const replaceInVain = () => {
      signer.rotate({ endLinks: true })
      throw new Error('disk full')
    }
    expect(() => db.transaction(replaceInVain)).toThrow('disk full')
    expect(keyIn(signer.sign({ path: '/' }, 'signed', 60))).toBe(before)
  })

  test('opens a preview and nothing else', async () => {
    const delivery = await startDelivery()
    const assetId = await delivery.upload(await dronePhoto(), { name: 'a.jpg' })
    await expect(
      urlOf(delivery, await delivery.upload('no picture'), { rendition: 'thumbnail-256' })
    ).rejects.toMatchObject({ problem: { code: 'rendition_not_available' } })
    await delivery.base.daemon.idle()
    const { url } = await urlOf(delivery, assetId, { rendition: 'thumbnail-256' })
    const answer = await delivery.read(url)
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/webp'])
    expect((await delivery.read(url.replace('/256/', '/1024/'))).status).toBe(403)
  })
})

describe('which address an asset gets', () => {
  test('by the object store, where that is configured', async () => {
    const delivery = await startDelivery({ FLIGHTCASE_USE_PRESIGN: 'true', FLIGHTCASE_PRESIGN_URL_TTL_SECONDS: '120' })
    const assetId = await delivery.upload('<html></html>', { name: 'page.html' })
    const { url, mode, expiresAt } = await urlOf(delivery, assetId)
    expect(mode).toBe('presigned')
    expect(url.startsWith(delivery.base.ready.s3.url)).toBe(true)
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('120')
    expect(Date.parse(expiresAt!)).toBeGreaterThan(systemClock.nowMs())
    const answer = await delivery.read(url)
    expect([answer.status, await answer.text()]).toEqual([200, '<html></html>'])
    expect(answer.headers.get('content-type')).toBe('application/octet-stream')
    expect(answer.headers.get('content-disposition')).toMatch(/^attachment; filename="page.html"/)
  })

  test('the plain one of the CDN for what is public, a signed one for the rest', async () => {
    const delivery = await startDelivery({
      FLIGHTCASE_PUBLIC_URL: 'https://base.example.org',
      FLIGHTCASE_CDN_BASE_URL: 'https://cdn.example.org/files/'
    })
    const assetId = await delivery.upload('hello', { access: 'public' })
    const cdnUrl = `https://cdn.example.org/files${mediaOf(assetId)}`
    expect(await urlOf(delivery, assetId)).toEqual({ url: cdnUrl, mode: 'direct', expiresAt: null, cdnUrl })
    expect((await urlOf(delivery, assetId, { download: true })).url).toBe(`${cdnUrl}?download=true`)
    await delivery.setAccess(assetId, 'workspace')
    const signed = await urlOf(delivery, assetId)
    expect(signed).toMatchObject({ mode: 'signed', cdnUrl })
    expect(signed.url.startsWith(`https://base.example.org${mediaOf(assetId)}?expires=`)).toBe(true)
  })

  test('none for who may not read it, nor of what is in the bin', async () => {
    const delivery = await startDelivery()
    const assetId = await delivery.upload('hello', { access: 'signed' })
    const path = `/api/v1/assets/${assetId}/url`
    expect(await refusal(await delivery.readAs(await delivery.token('viewer'), path))).toEqual([403, 'forbidden'])
    expect((await delivery.readAs(await delivery.token('operator'), path)).status).toBe(200)
    expect((await delivery.readAsAdmin(`${path}?expiresInSeconds=604801`)).status).toBe(400)
    await delivery.base.api.call(deleteAsset, { params: { assetId } })
    expect(await refusal(await delivery.readAsAdmin(path))).toEqual([409, 'asset_binned'])
  })
})

describe('pages that may show files', () => {
  const env = { FLIGHTCASE_REFERERS: 'app.example.org, *.crew.example' }
  const pages = {
    'https://app.example.org/map': 200,
    'https://a.crew.example/': 200,
    'https://b.a.crew.example/': 200,
    'https://crew.example/': 403,
    'https://evilcrew.example/': 403,
    'https://app.example.org.evil.example/': 403,
    'https://evil.example/?https://app.example.org': 403,
    'app.example.org': 403
  }

  test('are those of the configuration, for public files and links; tokens need none', async () => {
    const delivery = await startDelivery(env)
    const assetId = await delivery.upload('hello', { access: 'public' })
    const { url } = await urlOf(delivery, await delivery.upload('there'))
    for (const address of [mediaOf(assetId), url])
      for (const [referer, status] of Object.entries(pages))
        expect([referer, (await delivery.read(address, { referer })).status]).toEqual([referer, status])
    const referer = 'https://evil.example/'
    expect(await refusal(await delivery.read(url, { referer }))).toEqual([403, 'referer_refused'])
    expect((await delivery.readAsAdmin(mediaOf(assetId), { referer })).status).toBe(200)
    const empty = await delivery.read(mediaOf(assetId))
    expect([empty.status, empty.headers.get('vary')]).toEqual([200, 'referer'])
  })

  test('must be named, where the configuration says so', async () => {
    const { upload, read } = await startDelivery({ ...env, FLIGHTCASE_EMPTY_REFERER: 'refuse' })
    const path = mediaOf(await upload('hello', { access: 'public' }))
    expect((await read(path)).status).toBe(403)
    expect((await read(path, { referer: 'https://app.example.org/' })).status).toBe(200)
  })
})

test('an application gets what it needs of a file with a signed link, until the file is deleted', async () => {
  const delivery = await startDelivery()
  const secret = await delivery.token('operator')
  const photo = await dronePhoto()
  const assetId = await delivery.upload(photo, { name: 'a.jpg', secret, access: 'public' })
  await delivery.base.daemon.idle()
  const call = () => delivery.base.api.call(getMediaObject, { params: { assetId }, query: {} })
  const media = await call()
  expect(media).toMatchObject({
    id: assetId,
    ownerId: expect.stringMatching(/^token:/),
    name: 'a.jpg',
    mimeType: 'image/jpeg',
    sizeBytes: photo.length,
    objectKey: expect.stringMatching(/^images\//),
    metadata: { width: 400, height: 300, durationMs: null },
    status: 'active'
  })
  await delivery.setAccess(assetId, 'signed')
  const { signedUrl } = await call()
  expect(Buffer.from(await (await delivery.read(signedUrl)).arrayBuffer()).equals(photo)).toBe(true)
  await delivery.base.api.call(deleteAsset, { params: { assetId } })
  await expect(call()).rejects.toMatchObject({ problem: { status: 404, code: 'asset_not_found' } })
  expect(await refusal(await delivery.read(signedUrl))).toEqual([404, 'asset_not_found'])
})
