import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { deleteAsset, getAsset } from '../../../shared/api/assets.ts'
import { dronePhoto } from '../../testing/photos.ts'
import { mediaOf, rawGet, refusal, startDelivery } from './delivery-bench.ts'

const DAY_MS = 86_400_000
const textOf = async (answer: Response) => [answer.status, await answer.text()]

describe('the bytes of an original', () => {
  test('come whole, or in the one range asked for; several ranges give the whole file', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const path = mediaOf(await upload('0123456789'))
    const range = (value: string) => readAsAdmin(path, { range: value })
    const whole = await readAsAdmin(path)
    expect(whole.headers.get('accept-ranges')).toBe('bytes')
    expect(await textOf(whole)).toEqual([200, '0123456789'])
    const middle = await range('bytes=2-4')
    expect(middle.headers.get('content-range')).toBe('bytes 2-4/10')
    expect(middle.headers.get('content-length')).toBe('3')
    expect(await textOf(middle)).toEqual([206, '234'])
    expect(await textOf(await range('bytes=7-'))).toEqual([206, '789'])
    expect(await textOf(await range('bytes=-2'))).toEqual([206, '89'])
    expect(await textOf(await range('bytes=-99'))).toEqual([206, '0123456789'])
    expect(await textOf(await range('bytes=8-99'))).toEqual([206, '89'])
    for (const ignored of ['bytes=0-1,4-5', 'bytes=5-2', 'bytes=a-b', 'chapters=1-2'])
      expect(await textOf(await range(ignored))).toEqual([200, '0123456789'])
    for (const outside of ['bytes=10-', 'bytes=-0']) {
      const answer = await range(outside)
      expect(answer.headers.get('content-range')).toBe('bytes */10')
      expect(await refusal(answer)).toEqual([416, 'range_not_satisfiable'])
    }
  })

  test('an empty file is delivered, and has no ranges', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const path = mediaOf(await upload(''))
    expect(await textOf(await readAsAdmin(path))).toEqual([200, ''])
    expect((await readAsAdmin(path, { range: 'bytes=0-' })).status).toBe(416)
  })

  test('large files stay apart when many are read at once, also beside readers who leave', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const files = [randomBytes(1_700_000), randomBytes(2_300_001)]
    const paths: string[] = []
    for (const file of files) paths.push(mediaOf(await upload(file)))
    const read = async (at: number) => {
      const answer = await readAsAdmin(paths[at % 2]!)
      if (at % 5 === 0) return answer.body!.cancel()
      expect(Buffer.from(await answer.arrayBuffer()).equals(files[at % 2]!)).toBe(true)
    }
    for (const readers of [3, 40]) await Promise.all(Array.from({ length: readers }, (_, at) => read(at)))
    const end = await readAsAdmin(paths[1]!, { range: 'bytes=1700000-' })
    expect(Buffer.from(await end.arrayBuffer()).equals(files[1]!.subarray(1_700_000))).toBe(true)
  })

  test('HEAD tells the same without a body, and knows no ranges', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const path = mediaOf(await upload('0123456789', { name: 'note.txt' }))
    const get = await readAsAdmin(path)
    await get.text()
    const head = await readAsAdmin(path, { range: 'bytes=2-4' }, 'HEAD')
    expect([head.status, await head.text()]).toEqual([200, ''])
    for (const name of ['content-length', 'content-type', 'etag', 'last-modified', 'content-disposition'])
      expect(head.headers.get(name)).toBe(get.headers.get(name))
  })
})

describe('conditions', () => {
  /** A stored file with its validators and dates around them. */
  async function known() {
    const delivery = await startDelivery()
    const path = mediaOf(await delivery.upload('0123456789'))
    const head = await delivery.readAsAdmin(path, {}, 'HEAD')
    const modified = head.headers.get('last-modified') ?? ''
    const at = (ms: number) => new Date(Date.parse(modified) + ms).toUTCString()
    return {
      etag: head.headers.get('etag') ?? '',
      modified,
      earlier: at(-DAY_MS),
      later: at(DAY_MS),
      statusOf: async (headers: Record<string, string>) => {
        const answer = await delivery.readAsAdmin(path, headers)
        await answer.text()
        return answer.status
      },
      read: (headers: Record<string, string>) => delivery.readAsAdmin(path, headers)
    }
  }

  test('the entity tag is the digest, which stays when the file moves', async () => {
    const { etag } = await known()
    expect(etag).toBe(`"${createHash('sha256').update('0123456789').digest('hex')}"`)
  })

  test('If-None-Match compares weakly and wins over If-Modified-Since', async () => {
    const { etag, later, earlier, statusOf, read } = await known()
    for (const list of [etag, `W/${etag}`, '*', `"x", ${etag}`])
      expect(await statusOf({ 'if-none-match': list })).toBe(304)
    expect(await statusOf({ 'if-none-match': '"x"', 'if-modified-since': later })).toBe(200)
    expect(await statusOf({ 'if-none-match': etag, 'if-modified-since': earlier })).toBe(304)
    const unchanged = await read({ 'if-none-match': etag })
    expect(unchanged.headers.get('etag')).toBe(etag)
    expect(unchanged.headers.get('cache-control')).toBe('private, no-cache')
    expect(unchanged.headers.get('content-length')).toBeNull()
  })

  test('If-Modified-Since counts whole seconds; what is no date counts as nothing', async () => {
    const { modified, earlier, later, statusOf } = await known()
    expect(await statusOf({ 'if-modified-since': modified })).toBe(304)
    expect(await statusOf({ 'if-modified-since': later })).toBe(304)
    expect(await statusOf({ 'if-modified-since': earlier })).toBe(200)
    for (const other of [
      'yesterday',
      '2099',
      'some words 2099',
      later.replace(' GMT', ''),
      later.replace('GMT', '+0100')
    ])
      expect(await statusOf({ 'if-modified-since': other })).toBe(200)
  })

  test('all three forms of a date are understood (RFC 9110 §5.6.7)', async () => {
    const { statusOf } = await known()
    for (const date of ['Fri, 06 Nov 2099 08:49:37 GMT', 'Friday, 06-Nov-37 08:49:37 GMT', 'Fri Nov  6 08:49:37 2099'])
      expect(await statusOf({ 'if-modified-since': date })).toBe(304)
    for (const date of ['Sun, 06 Nov 1994 08:49:37 GMT', 'Sunday, 06-Nov-94 08:49:37 GMT', 'Sun Nov  6 08:49:37 1994'])
      expect(await statusOf({ 'if-modified-since': date })).toBe(200)
  })

  test('If-Match compares strongly, comes first and wins over If-Unmodified-Since', async () => {
    const { etag, earlier, later, statusOf, read } = await known()
    expect(await statusOf({ 'if-match': etag, 'if-unmodified-since': earlier })).toBe(200)
    expect(await statusOf({ 'if-match': '*' })).toBe(200)
    for (const list of ['"x"', `W/${etag}`]) expect(await statusOf({ 'if-match': list })).toBe(412)
    expect(await statusOf({ 'if-match': '"x"', 'if-none-match': etag })).toBe(412)
    expect(await statusOf({ 'if-match': etag, 'if-none-match': etag })).toBe(304)
    expect(await statusOf({ 'if-unmodified-since': earlier })).toBe(412)
    expect(await statusOf({ 'if-unmodified-since': later })).toBe(200)
    expect(await refusal(await read({ 'if-match': '"x"' }))).toEqual([412, 'precondition_failed'])
  })

  test('If-Range gives the range of the same version, else the whole file', async () => {
    const { etag, modified, earlier, statusOf } = await known()
    const range = 'bytes=0-1'
    expect(await statusOf({ range, 'if-range': etag })).toBe(206)
    expect(await statusOf({ range, 'if-range': modified })).toBe(206)
    for (const other of [earlier, '"x"', `W/${etag}`, 'nonsense'])
      expect(await statusOf({ range, 'if-range': other })).toBe(200)
    expect(await statusOf({ range: 'bytes=99-', 'if-range': '"x"' })).toBe(200)
    expect(await statusOf({ range, 'if-none-match': etag })).toBe(304)
  })
})

describe('what browsers make of it', () => {
  test('pictures and films are shown, and nothing that can act', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const shown = async (bytes: Uint8Array | string, name: string, query = '') => {
      const answer = await readAsAdmin(mediaOf(await upload(bytes, { name })) + query, {}, 'HEAD')
      const header = (name: string) => answer.headers.get(name) ?? ''
      expect(header('x-content-type-options')).toBe('nosniff')
      expect(header('content-security-policy')).toMatch(/^sandbox; default-src 'none';/)
      return [header('content-type'), header('content-disposition').split(';')[0]]
    }
    const photo = await dronePhoto()
    expect(await shown(photo, 'a.jpg')).toEqual(['image/jpeg', 'inline'])
    expect(await shown(photo, 'a.jpg', '?download=true')).toEqual(['application/octet-stream', 'attachment'])
    const saved = ['application/octet-stream', 'attachment']
    expect(await shown('<html><script>alert(1)</script></html>', 'a.html')).toEqual(saved)
    expect(await shown('<?xml version="1.0"?><a/>', 'a.xml')).toEqual(saved)
    expect(await shown('%PDF-1.7\n', 'a.pdf')).toEqual(saved)
    expect(await shown('alert(1)', 'a.js')).toEqual(saved)
    expect(await shown(randomBytes(10), 'a.unknown')).toEqual(saved)
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    expect(await shown(svg, 'a.svg')).toEqual(['image/svg+xml', 'inline'])
  })

  test('a copy that is still good stays as locked in as it was', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const path = mediaOf(await upload('<svg xmlns="http://www.w3.org/2000/svg"/>', { name: 'a.svg' }))
    const first = await readAsAdmin(path)
    await first.text()
    const again = await readAsAdmin(path, { 'if-none-match': first.headers.get('etag') ?? '' })
    expect(again.status).toBe(304)
    for (const name of ['content-security-policy', 'x-content-type-options'])
      expect(again.headers.get(name)).toBe(first.headers.get(name))
  })

  test('no name splits a header or misleads about the type', async () => {
    const { upload, readAsAdmin } = await startDelivery()
    const names = [
      'a\r\nset-cookie: x=1.jpg',
      'quote".jpg',
      'Überflug 测试.jpg',
      '\u202egpj.exe',
      "a'*%.jpg",
      'a;b\\c.jpg'
    ]
    for (const name of names) {
      const answer = await readAsAdmin(mediaOf(await upload(randomBytes(8), { name })), {}, 'HEAD')
      expect(answer.headers.get('set-cookie')).toBeNull()
      const value = answer.headers.get('content-disposition') ?? ''
      expect(value).toMatch(/^(inline|attachment); filename="[\x20-\x7e]*"; filename\*=UTF-8''[\w.!~%-]+$/)
      expect(decodeURIComponent(value.split("''")[1] ?? '')).not.toMatch(/[\p{Cc}\u202e/\\]/u)
    }
  })

  test('refusals are not kept by caches', async () => {
    const { read } = await startDelivery()
    const answer = await read(mediaOf('a'.repeat(26)))
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(await refusal(answer)).toEqual([401, 'unauthenticated'])
  })

  test('previews follow the same rules', async () => {
    const { upload, base, readAsAdmin, read, setAccess } = await startDelivery()
    const assetId = await upload(await dronePhoto(), { name: 'a.jpg' })
    await base.daemon.idle()
    const path = `/thumbnail/256/${assetId}`
    const first = await readAsAdmin(path)
    const bytes = Buffer.from(await first.arrayBuffer())
    const header = (answer: Response, name: string) => answer.headers.get(name) ?? ''
    expect(header(first, 'cache-control')).toBe('private, max-age=600')
    expect(header(first, 'vary')).toBe('accept')
    const part = await readAsAdmin(path, { range: 'bytes=0-9', 'if-range': header(first, 'etag') })
    expect(part.status).toBe(206)
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(0, 10))).toBe(true)
    const since = { 'if-modified-since': header(first, 'last-modified') }
    expect((await readAsAdmin(path, since)).status).toBe(304)
    expect(header(await readAsAdmin(`${path}?v=1`), 'cache-control')).toBe('private, max-age=31536000, immutable')
    expect((await read(path)).status).toBe(401)
    for (const access of ['private', 'signed'] as const) {
      await setAccess(assetId, access)
      for (const query of ['', '?v=1'])
        expect(header(await readAsAdmin(path + query), 'cache-control')).toBe('private, no-cache')
    }
    await setAccess(assetId, 'public')
    expect(header(await read(`${path}?v=1`), 'cache-control')).toBe('public, max-age=31536000, immutable')
    await setAccess(assetId, 'public', 60)
    expect(header(await read(`${path}?v=1`), 'cache-control')).toBe('public, max-age=60')
  })
})

describe('other hosts and pages', () => {
  test('foreign host names are refused unless they are configured', async () => {
    const { url } = await startDelivery({
      FLIGHTCASE_PUBLIC_HOSTS: 'media.example.org, cdn.example.net',
      FLIGHTCASE_PUBLIC_URL: 'https://base.example.com/'
    })
    const statusAs = async (host: string) => (await rawGet(`${url}/openapi.json`, { host })).status
    expect(await statusAs('media.example.org')).toBe(200)
    expect(await statusAs('MEDIA.example.org:443')).toBe(200)
    expect(await statusAs('cdn.example.net')).toBe(200)
    expect(await statusAs('base.example.com')).toBe(200)
    expect(await statusAs('example.org')).toBe(403)
    expect(await statusAs('media.example.org.evil.example')).toBe(403)
  })

  test('scripts of configured origins may read media, and nothing else', async () => {
    const { upload, read, setAccess, url } = await startDelivery({ FLIGHTCASE_CORS_ORIGINS: 'https://app.example.org' })
    const assetId = await upload('hello')
    await setAccess(assetId, 'public')
    const origin = 'https://app.example.org'
    const answer = await read(mediaOf(assetId), { origin })
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin)
    expect(answer.headers.get('access-control-allow-credentials')).toBeNull()
    expect(answer.headers.get('vary')).toContain('origin')
    expect(answer.headers.get('cross-origin-resource-policy')).toBe('cross-origin')
    const preflight = await fetch(url + mediaOf(assetId), {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'range' }
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-headers')).toContain('range')
    const foreign = await read(mediaOf(assetId), { origin: 'https://evil.example' })
    expect(foreign.headers.get('access-control-allow-origin')).toBeNull()
    expect((await read('/api/v1/assets', { origin })).headers.get('access-control-allow-origin')).toBeNull()
  })
})

test('what is in the bin is gone for everyone but those who can see the bin', async () => {
  const { upload, base, read, readAsAdmin } = await startDelivery()
  const assetId = await upload('hello', { access: 'public' })
  expect((await read(mediaOf(assetId))).status).toBe(200)
  await base.api.call(deleteAsset, { params: { assetId } })
  expect(await refusal(await read(mediaOf(assetId)))).toEqual([404, 'asset_not_found'])
  expect((await readAsAdmin(mediaOf(assetId))).status).toBe(200)
  expect((await base.api.call(getAsset, { params: { assetId } })).access).toBe('public')
})
