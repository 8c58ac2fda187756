import { once } from 'node:events'
import { pino } from 'pino'
import { openIdentityService } from '../src/daemon/embedded-store/credentials/identity-service.ts'
import { createS3Endpoint } from '../src/daemon/embedded-store/endpoint/s3-endpoint.ts'
import { createStorageEngine } from '../src/daemon/embedded-store/engine/create-storage-engine.ts'

// The embedded store alone, as a process of its own: opened in the folder of the first argument, closed on SIGTERM.

const directory = process.argv[2]
if (directory === undefined) throw new Error('the folder of the store is missing')
const log = pino({ level: 'silent' })
const engine = await createStorageEngine({ directory, log })
const identity = openIdentityService({ directory, log })
const { accessKeyId, secretAccessKey } = identity.createServiceUser({
  name: 'bench',
  policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
})
// One client holds all connections here, which a base would take for one of its controllers.
const bodySlots = { total: 32, perKey: 32, maxWaitMs: 5000 }
const endpoint = createS3Endpoint({ engine, identity, region: 'us-east-1', log, bodySlots })
const { port } = await endpoint.listen('127.0.0.1', 0)
process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}`, accessKeyId, secretAccessKey })}\n`)
await once(process, 'SIGTERM')
await endpoint.close(1000)
identity.close()
await engine.close()
