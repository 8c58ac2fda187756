import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { expect, onTestFinished, test } from 'vitest'
import type { StsReply } from '../../../shared/api/pilot.ts'
import { openEmbeddedEndpoint } from '../../testing/test-stores.ts'
import { type Answer, Bench, BYTES, CALLBACK, callback, NAME, ok, refused, sts, WS, WS_B } from './conformance-bench.ts'
import { holdConformance } from './conformance-table.ts'

holdConformance('sts', {
  C36: async (bench) => {
    expectGrant(await bench.post(sts()))
  },

  C37: async (bench) => {
    expectGrant(await bench.post(sts(), {}))
    expectGrant(await bench.post(sts(), 'garbage{'))
  },

  C38: async () => {
    const { bench, client, prefix } = await grant()
    const inside = `${prefix}/${NAME}`
    await client.send(new PutObjectCommand({ Bucket: 'media', Key: inside, Body: BYTES }))
    expect(await bench.post(callback(), { ...CALLBACK, object_key: inside })).toEqual(ok(inside))
    for (const outside of [`media/${WS}/19990101/x`, `media/${WS_B}/x`, 'x', `${prefix}x/y`, 'images/2026/04/07/x']) {
      const put = client.send(new PutObjectCommand({ Bucket: 'media', Key: outside, Body: BYTES }))
      await expect(put).rejects.toMatchObject({ name: 'AccessDenied', $metadata: { httpStatusCode: 403 } })
      expect(await bench.store.head(outside)).toBeNull()
    }
  },

  C39: async () => {
    const { bench, s3 } = await Bench.openExternal()
    await s3.goAway()
    expect(await bench.post(sts())).toEqual(refused(500, 'sts failed'))
  },

  C40: async () => {
    const { client, prefix, harness } = await grant()
    const head = () => client.send(new HeadObjectCommand({ Bucket: 'media', Key: `${prefix}/x` }))
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
    harness.turnClock(3_600_000 + 1000)
    client.config.systemClockOffset = 3_600_000
    await expect(head()).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
    const put = client.send(new PutObjectCommand({ Bucket: 'media', Key: `${prefix}/x`, Body: BYTES }))
    await expect(put).rejects.toMatchObject({ name: 'ExpiredToken' })
  }
})

test('the first controller of a day gets the day folder, the next one a folder of its own, also after a restart', async () => {
  const bench = await Bench.open()
  const prefixFor = async (deviceId: string) =>
    ((await bench.post(sts(), {}, { 'x-device-id': deviceId })).body.data as StsReply).object_key_prefix
  const first = await prefixFor('RC-1')
  const second = await prefixFor('RC-2')
  expect(first).toMatch(new RegExp(`^media/${WS}/\\d{8}$`))
  expect(second).toMatch(new RegExp(`^${first}/[0-9a-z]{6}$`))
  expect([await prefixFor('RC-1'), await prefixFor('RC-2')]).toEqual([first, second])
  await bench.restart()
  expect([await prefixFor('RC-2'), await prefixFor('RC-1')]).toEqual([second, first])
})

test('beside an external store every controller has a folder of its own', async () => {
  const { bench } = await Bench.openExternal()
  const { object_key_prefix } = (await bench.post(sts())).body.data as StsReply
  expect(object_key_prefix).toMatch(new RegExp(`^media/${WS}/\\d{8}/[0-9a-z]{6}$`))
})

/** What a controller does with the answer of the sts call. */
async function grant() {
  const { store, harness } = await openEmbeddedEndpoint()
  const bench = await Bench.open({}, store, { s3Port: harness.port })
  const { data } = (await bench.post(sts())).body as { data: StsReply }
  const { access_key_id, access_key_secret, security_token } = data.credentials
  const client = new S3Client({
    endpoint: data.endpoint,
    region: data.region,
    forcePathStyle: true,
    credentials: { accessKeyId: access_key_id, secretAccessKey: access_key_secret, sessionToken: security_token }
  })
  onTestFinished(() => client.destroy())
  return { bench, harness, client, prefix: data.object_key_prefix }
}

function expectGrant({ status, body }: Answer): void {
  expect({ status, code: body.code, message: body.message }).toEqual({ status: 200, code: 0, message: 'success' })
  expect(body.data).toEqual({
    provider: 'minio',
    endpoint: 'http://127.0.0.1:9000',
    bucket: 'media',
    region: 'us-east-1',
    object_key_prefix: expect.stringMatching(new RegExp(`^media/${WS}/\\d{8}$`)),
    credentials: {
      access_key_id: expect.stringMatching(/.+/),
      access_key_secret: expect.stringMatching(/.+/),
      security_token: expect.stringMatching(/.+/),
      expire: expect.any(Number)
    }
  })
  const { expire } = (body.data as { credentials: { expire: number } }).credentials
  expect(Number.isInteger(expire) && expire >= 60 && expire <= 3600).toBe(true)
}
