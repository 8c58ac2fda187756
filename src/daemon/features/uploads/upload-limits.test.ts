import { createHash, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { listAssets } from '../../../shared/api/assets.ts'
import { blankPng, dronePhoto, plainJpeg } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { type Outcome, uploadWays } from './upload-ways.ts'

/** A picture in its first bytes and nothing after them: what it claims decides. */
const claiming = (widthPx: number, heightPx: number) => {
  const png = blankPng(8, 8)
  png.writeUInt32BE(widthPx, 16)
  png.writeUInt32BE(heightPx, 20)
  return png
}

async function expectNothingLeft(base: TestDaemon): Promise<void> {
  await base.daemon.idle()
  expect(storedKeys(base.dataDir)).toEqual([])
  expect((await base.api.call(listAssets, {})).items).toEqual([])
}

const typeOf = (outcome: Outcome) => ('asset' in outcome ? outcome.asset.mimeType : outcome.refused)

const confusing: [content: string, name: string, mimeType: string][] = [
  ['<html><body onload=alert(1)>', 'a.jpg', 'text/html'],
  ['<!-- GIF89a --><script>alert(1)</script>', 'a.gif', 'text/html'],
  ['<?xml version="1.0"?><svg onload="alert(1)"/>', 'a.png', 'image/svg+xml'],
  ['<!doctype html>', 'a.pdf', 'text/html'],
  ['alert(1)', 'a.mp4', 'text/plain'],
  ['a,b\n1,2', 'a.csv', 'text/csv'],
  ['<?xml version="1.0"?><kml/>', 'a.kml', 'application/vnd.google-earth.kml+xml'],
  // A picture and a page at once.
  ['GIF89a\x01\0\x01\0<script>alert(1)</script>', 'a.html', 'image/gif']
]

describe.each(Object.entries(uploadWays))('a file uploaded by %s', (_, upload) => {
  test('of a type that is not allowed is refused by what it is, and leaves nothing', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_TYPES: 'image/*, video/mp4' } })
    const page = Buffer.from('<!doctype html><script>alert(1)</script>')
    for (const [bytes, mimeType] of [
      [page, 'text/html'],
      [randomBytes(9_000_000), 'application/octet-stream'],
      [Buffer.alloc(0), 'application/octet-stream']
    ] as const)
      expect(await upload(base, bytes, 'holiday.jpg')).toMatchObject({
        refused: [415, 'media_type_not_allowed'],
        problem: { details: { mimeType, allowed: ['image/*', 'video/mp4'] } }
      })
    await expectNothingLeft(base)
    const photo = await upload(base, await plainJpeg(), 'page.html')
    expect(typeOf(photo)).toBe('image/jpeg')
  })

  test('larger than its type may be is refused, and leaves nothing', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_TYPES: '*/*, image/*=0.001, image/png=0.002' } })
    const photo = Buffer.concat([await plainJpeg(), Buffer.alloc(1_000_000)])
    expect(await upload(base, photo, 'a.txt')).toMatchObject({
      refused: [413, 'payload_too_large'],
      problem: { details: { maxSizeBytes: 1_000_000 } }
    })
    await expectNothingLeft(base)
    expect(typeOf(await upload(base, Buffer.concat([claiming(8, 8), Buffer.alloc(1_000_000)]), 'a'))).toBe('image/png')
    expect(typeOf(await upload(base, randomBytes(1_500_000), 'a.jpg'))).toBe('application/octet-stream')
  })

  test('that claims too many pixels is refused, and leaves nothing', async () => {
    const base = await startTestDaemon()
    for (const [widthPx, heightPx] of [
      [30_000, 30_000],
      [2 ** 31 - 1, 2 ** 31 - 1],
      [10_001, 50_000]
    ] as const)
      expect(await upload(base, claiming(widthPx, heightPx), 'notes.txt')).toMatchObject({
        refused: [422, 'too_many_pixels'],
        problem: { details: { widthPx, heightPx, maxPixels: 500_000_000 } }
      })
    await expectNothingLeft(base)
  })

  test('with as many pixels as allowed is taken, and the limit is a setting', async () => {
    const base = await startTestDaemon({ env: { FLIGHTCASE_UPLOAD_MAX_MEGAPIXELS: '0.12' } })
    expect(typeOf(await upload(base, await dronePhoto(), 'a.jpg'))).toBe('image/jpeg')
    expect(typeOf(await upload(base, await dronePhoto({ widthPx: 401 }), 'a.jpg'))).toEqual([422, 'too_many_pixels'])
  })

  test('is what its content says, and never shown as anything else', async () => {
    const base = await startTestDaemon()
    for (const [content, name, mimeType] of confusing) {
      const outcome = await upload(base, Buffer.from(content, 'latin1'), name)
      expect(typeOf(outcome), content).toBe(mimeType)
      const { asset } = outcome as Extract<Outcome, { asset: unknown }>
      const { headers } = await base.fetch(`/media/${asset.id}`)
      // A drawing may hold scripts, which the sandbox keeps from running.
      const isShown = mimeType === 'image/gif' || mimeType === 'image/svg+xml'
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('content-security-policy')).toContain('sandbox')
      expect(headers.get('content-type')).toBe(isShown ? mimeType : 'application/octet-stream')
      expect(headers.get('content-disposition')).toMatch(isShown ? /^inline/ : /^attachment/)
    }
  })
})

test('a type that is no longer allowed is not given out again by its digest', async () => {
  const photo = await plainJpeg()
  const first = await startTestDaemon()
  await uploadWays.form(first, photo, 'a.jpg')
  await first.daemon.stop()
  const second = await startTestDaemon({ dataDir: first.dataDir, env: { FLIGHTCASE_UPLOAD_TYPES: 'video/*' } })
  const sha256 = createHash('sha256').update(photo).digest('hex')
  expect(typeOf(await uploadWays.link(second, photo, 'a.jpg', { sha256 }))).toEqual([415, 'media_type_not_allowed'])
})

test('a picture with more pixels than are allowed by now is not given out again by its digest', async () => {
  const photo = await dronePhoto()
  const first = await startTestDaemon()
  await uploadWays.form(first, photo, 'a.jpg')
  await first.daemon.idle()
  await first.daemon.stop()
  const second = await startTestDaemon({ dataDir: first.dataDir, env: { FLIGHTCASE_UPLOAD_MAX_MEGAPIXELS: '0.1' } })
  const sha256 = createHash('sha256').update(photo).digest('hex')
  expect(typeOf(await uploadWays.link(second, photo, 'a.jpg', { sha256 }))).toEqual([422, 'too_many_pixels'])
})
