import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AbortMultipartUploadCommand, ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { getMedia, listAssets } from '../shared/api/assets.ts'
import { getField } from '../shared/api/field.ts'
import { createToken } from '../shared/api/system.ts'
import { endpointUrl } from '../shared/api-client.ts'
import type { ReadyInfo } from '../shared/ready.ts'
import { type AdminAccess, openAdmin } from './admin-access.ts'
import { sha256OfFile } from './catalogue-check.ts'
import { type DaemonProcess, launchDaemon } from './daemon-process.ts'
import { generateCards } from './demo-cards.ts'
import type { CardFile } from './photo-card.ts'
import { createPilotApi, type PilotIdentity } from './pilot-api.ts'
import { type ControllerEvent, PilotController } from './pilot-controller.ts'

const MIB = 1024 * 1024
let scratch: string
let daemon: DaemonProcess
let ready: ReadyInfo
let admin: AdminAccess

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'controller-'))
  daemon = launchDaemon({ dataDir: join(scratch, 'data') })
  ready = await daemon.ready
  admin = openAdmin(ready.admin)
})
afterAll(async () => {
  await daemon.stop()
  await rm(scratch, { recursive: true, force: true })
})

const assetNamed = async (name: string, workspaceId: string) => {
  const { items } = await admin.api.call(listAssets, { query: { limit: 500 } })
  return items.filter((asset) => asset.name === name && asset.workspaceId === workspaceId)
}

/** Aborts the unfinished uploads of a file, as a store does with those nobody goes on with. */
async function abortUploads(identity: PilotIdentity, name: string): Promise<void> {
  const grant = await createPilotApi(identity).requestGrant()
  const s3 = new S3Client({
    endpoint: grant.endpoint,
    region: grant.region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: grant.credentials.access_key_id,
      secretAccessKey: grant.credentials.access_key_secret,
      sessionToken: grant.credentials.security_token
    }
  })
  const key = { Bucket: grant.bucket, Key: `${grant.object_key_prefix}/${name}` }
  const { Uploads = [] } = await s3.send(new ListMultipartUploadsCommand({ Bucket: key.Bucket, Prefix: key.Key }))
  expect(Uploads).toHaveLength(1)
  for (const { UploadId } of Uploads) await s3.send(new AbortMultipartUploadCommand({ ...key, UploadId }))
  s3.destroy()
}

describe.each(['signed-chunks', 'checksum-trailer'] as const)('with %s', (framing) => {
  const events: ControllerEvent[] = []
  let identity: PilotIdentity
  let controller: PilotController
  let photos: CardFile[]
  let video: CardFile

  beforeAll(async () => {
    const { alpha } = await generateCards(join(scratch, framing), 3)
    photos = alpha.slice(0, 3)
    video = alpha[3] as CardFile
    const { secret } = await admin.api.call(createToken, { body: { name: framing, role: 'controller' } })
    identity = {
      fieldUrl: ready.field.url,
      token: secret,
      workspaceId: framing,
      deviceId: framing,
      droneSerial: '1581F000001DEMO',
      droneModelKey: '0-99-0',
      payloadModelKey: '1-88-0',
      photoType: 'original'
    }
    controller = new PilotController({ ...identity, framing, onEvent: (event) => events.push(event) })
  })
  afterAll(() => controller.close())

  const expectStored = async (file: CardFile) => {
    const [asset, ...others] = await assetNamed(file.name, framing)
    expect(others).toEqual([])
    const path = endpointUrl(getMedia.path, { params: { assetId: asset?.id } })
    expect(await admin.sha256(path)).toBe(await sha256OfFile(file.filePath))
  }

  it('leaves nothing behind of a photo that was cut off, and uploads it whole later', async () => {
    const photo = photos[0] as CardFile
    const mishaps = new Map([[photo, { cutAfterBytes: photo.sizeBytes / 2 }]])
    expect(await controller.offer([photo], { mishaps })).toMatchObject({ cut: [photo], uploaded: [] })
    expect(await assetNamed(photo.name, framing)).toEqual([])
    expect(await controller.offer([photo])).toMatchObject({ uploaded: [photo] })
    await expectStored(photo)
  })

  it('goes on with the missing parts of a video that was cut off', async () => {
    const mishaps = new Map([[video, { cutAfterBytes: 8 * MIB }]])
    expect(await controller.offer([video], { mishaps })).toMatchObject({ cut: [video] })
    events.length = 0
    expect(await controller.offer([video])).toMatchObject({ uploaded: [video] })
    const sent = events.flatMap((event) => (event.type === 'sent' ? [event.sentBytes] : []))
    expect(sent[0]).toBeGreaterThan(5 * MIB)
    expect(sent.at(-1)).toBe(video.sizeBytes)
    await expectStored(video)
  })

  it('begins a video anew whose unfinished upload is gone', async () => {
    const film = (await generateCards(join(scratch, `${framing}-again`), 2, 11 * MIB)).bravo[2] as CardFile
    await controller.offer([film], { mishaps: new Map([[film, { cutAfterBytes: 8 * MIB }]]) })
    await abortUploads(identity, film.name)
    expect(await controller.offer([film])).toMatchObject({ uploaded: [film] })
    await expectStored(film)
  })

  it('skips what the server has', async () => {
    events.length = 0
    expect(await controller.offer([photos[0] as CardFile, video])).toMatchObject({ uploaded: [], failed: [] })
    expect(events.map((event) => event.type)).toEqual(['skipped', 'skipped'])
  })

  it('reports an upload it gave up', async () => {
    const photo = photos[1] as CardFile
    const result = await controller.offer([photo], { mishaps: new Map([[photo, 'give-up']]) })
    expect(result).toMatchObject({ failed: [photo] })
    const { lanes } = await admin.api.call(getField, {})
    const lane = lanes.find((each) => each.troubled.some((file) => file.name === photo.name && file.state === 'failed'))
    expect(lane?.failed).toBe(1)
    expect(await assetNamed(photo.name, framing)).toEqual([])
  })

  it('counts the files of a mission', async () => {
    const mission = { groupId: `group-${framing}`, path: 'Survey', fileCount: 2 }
    await controller.offer([photos[0] as CardFile, photos[2] as CardFile], { mission })
    const { flights } = await admin.api.call(getField, {})
    const flight = flights.find((each) => each.workspaceId === framing)
    expect(flight).toMatchObject({ name: 'Survey', expectedCount: 2, uploadedCount: 2, complete: true })
    // A file that goes on later is still one of its mission.
    const rest = { groupId: `rest-${framing}`, path: '', fileCount: 2 }
    await controller.offer([photos[0] as CardFile], { mission: rest })
    await controller.offer([photos[2] as CardFile], { mission: rest })
    const later = (await admin.api.call(getField, {})).flights.find((each) => each.name === rest.groupId)
    expect(later).toMatchObject({ uploadedCount: 2, complete: true })
  })
})

it('ends when the server does not know the token', async () => {
  const controller = new PilotController({
    fieldUrl: ready.field.url,
    token: 'not-a-token-of-this-server',
    workspaceId: 'w',
    deviceId: 'd',
    droneSerial: '1581F000001DEMO',
    droneModelKey: '0-99-0',
    payloadModelKey: '1-88-0',
    photoType: 'original'
  })
  const { alpha } = await generateCards(join(scratch, 'unknown'), 2, 0)
  await expect(controller.offer(alpha)).rejects.toMatchObject({ name: 'PilotRefusal', status: 401 })
  controller.close()
})
