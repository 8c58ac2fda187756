import { EngineHarness } from '../embedded-store/engine/engine-harness.ts'
import { LocalObjectStore } from './local-object-store.ts'
import { describeObjectStore } from './object-store.contract.ts'
import { Presigner } from './presigner.ts'
import { buildSessionPolicy } from './session-policy.ts'

const bucket = 'media'

describeObjectStore('local, in process', async () => {
  const harness = await EngineHarness.open()
  const store = new LocalObjectStore({
    engine: harness.engine,
    bucket,
    issueCredentials: ({ prefixes, durationSeconds }) => {
      buildSessionPolicy({ bucket, prefixes })
      return {
        accessKeyId: 'key',
        secretAccessKey: 'secret',
        sessionToken: 'token',
        expiresAtMs: Date.now() + durationSeconds * 1000
      }
    },
    presigner: new Presigner({
      bucket,
      region: 'us-east-1',
      endpoint: () => 'http://192.0.2.1:9000',
      credentials: () => ({ accessKeyId: 'key', secretAccessKey: 'secret' }),
      forcePathStyle: true
    })
  })
  return {
    store,
    servesUrls: false,
    issuesCredentials: true,
    keysAreData: true,
    dispose: async () => {
      await store.close()
      await harness.dispose()
    }
  }
})
