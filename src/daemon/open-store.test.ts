import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { pino } from 'pino'
import { expect, onTestFinished, test } from 'vitest'
import { openStore } from './open-store.ts'
import { temporaryFolder, testDatabase } from './testing/test-database.ts'

const ignore = () => undefined

test('what a controller was refused is known, with how often and when', async () => {
  const opened = await openStore({
    config: {
      mode: 'embedded',
      listen: { host: '127.0.0.1', port: 0 },
      bucket: 'media',
      region: 'us-east-1',
      publicEndpoint: null,
      rootPrefix: null,
      rootKey: null,
      explainSignatures: false
    },
    dataDir: temporaryFolder('store'),
    db: testDatabase(),
    log: pino({ level: 'silent' }),
    pageOrigins: () => [],
    isNew: true,
    onUploadProgress: ignore,
    onAnswered: ignore,
    onObjectDamaged: ignore
  })
  onTestFinished(() => opened.close())
  onTestFinished(() => opened.stopListening(0))
  const endpoint = await opened.listen()
  const { accessKeyId, secretAccessKey, sessionToken } = await opened.store.issueCredentials({
    workspaceId: 'ws-1',
    deviceId: 'rc-1',
    prefixes: ['ws-1/'],
    durationSeconds: 900
  })
  const credentials = { accessKeyId, secretAccessKey, sessionToken }
  const s3 = new S3Client({ endpoint, region: 'us-east-1', forcePathStyle: true, credentials })
  onTestFinished(() => s3.destroy())
  const put = (Key: string) => s3.send(new PutObjectCommand({ Bucket: 'media', Key, Body: 'x' }))
  await put('ws-1/a.jpg')
  expect(opened.deniedActions()).toEqual([])
  for (const key of ['ws-2/a.jpg', 'ws-2/b.jpg']) await expect(put(key)).rejects.toMatchObject({ name: 'AccessDenied' })
  expect(opened.deniedActions()).toEqual([
    expect.objectContaining({
      accessKeyId,
      sessionDeviceId: 'rc-1',
      workspaceId: 'ws-1',
      action: 's3:PutObject',
      resource: 'media/ws-2/b.jpg',
      count: 2
    })
  ])
})
