import { describe, expect, it, onTestFinished } from 'vitest'
import { ScriptedS3 } from '../../testing/scripted-s3.ts'
import { temporaryFolder } from '../../testing/test-database.ts'
import { EndpointHarness, REGION } from '../endpoint/endpoint-harness.ts'
import type { ListRequest, StorageEngine } from '../engine/storage-engine.ts'
import { openGateway } from './gateway-storage.ts'

const KEYS = ['a', 'a/', 'a/1', 'a/2', 'a/b/', 'a/b/1', 'a/b/2', 'a/c', 'b/1', 'b/\u{10ffff}/1', 'c', 'd/e/f']

/** The gateway before a server of somebody else's, and an engine, with the same keys in both. */
async function openBoth() {
  const behind = await EndpointHarness.open()
  onTestFinished(() => behind.dispose())
  const theirs = await ScriptedS3.start()
  for (const key of KEYS) {
    const body = await behind.engine.openBody({ sizeBytes: 0 })
    await body.finish()
    await behind.engine.putObject({ bucket: 'media', key, body })
    theirs.put(key, Buffer.alloc(0))
  }
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' }
  const server = { endpoint: theirs.endpoint, region: REGION, bucket: 'media', credentials }
  const gateway = await openGateway({ directory: temporaryFolder('gateway'), server, owner: 'flightcase' })
  onTestFinished(() => gateway.close())
  return { engine: behind.engine, gateway }
}

const names = async (storage: Pick<StorageEngine, 'listObjects'>, request: ListRequest) => {
  const { entries, next } = await storage.listObjects(request)
  return { next, names: entries.map((entry) => ('prefix' in entry ? `${entry.prefix}…` : entry.object.key)) }
}

describe('listings over the gateway', () => {
  it('go on after any name as those of the engine do', async () => {
    const { engine, gateway } = await openBoth()
    for (const prefix of ['', 'a', 'a/', 'a/b', 'a/b/', 'b/', 'x'])
      for (const delimiter of [undefined, '/'])
        for (const after of [undefined, '', 'Z', ...KEYS, 'a/b', 'b/', 'b', 'd/', 'd/e/', 'x'])
          for (const limit of [0, 1, 2, 100]) {
            const request = { bucket: 'media', prefix, delimiter, after, limit }
            const told = { request, page: await names(gateway, request) }
            expect(told).toEqual({ request, page: await names(engine, request) })
          }
  })
})
