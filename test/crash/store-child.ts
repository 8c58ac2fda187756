// The embedded object store with its endpoint, in a process that is meant to be killed; started by store-crash-site.ts.
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { pino } from 'pino'
import { z } from 'zod'
import { openIdentityService } from '../../src/daemon/embedded-store/credentials/identity-service.ts'
import { createS3Endpoint } from '../../src/daemon/embedded-store/endpoint/s3-endpoint.ts'
import { createStorageEngine } from '../../src/daemon/embedded-store/engine/create-storage-engine.ts'
import { StorageError } from '../../src/daemon/embedded-store/engine/storage-engine.ts'
import { auditStore } from './store-audit.ts'
import { BUCKET, MIN_PART_BYTES, OWNER, type StoreChildReady } from './store-load.ts'

const TIDY_PAUSE_MS = 15
/** A minute of the store passes in a second, so that what it removes after a while goes while it is being killed. */
const CLOCK_SPEED = 60
/** Leftover files are younger than this store thinks, so that the first check removes all of them. */
const CLOCK_AHEAD_MS = 2 * 3_600_000

const plan = z
  .object({
    directory: z.string(),
    /** When the clock of the store began to run fast, the same for every start. */
    epochMs: z.number()
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

/** Dies by itself at the n-th time from then on that a write comes to the step. */
const orderSchema = z.object({ step: z.enum(['staged', 'synced', 'renamed', 'committed']), nth: z.number() })
let order: z.infer<typeof orderSchema> | undefined
createInterface({ input: process.stdin })
  .on('line', (line) => {
    order = orderSchema.parse(JSON.parse(line))
  })
  // Nobody is left to kill it.
  .on('close', () => process.exit(1))

const log = pino({ level: 'silent' })
const engine = await createStorageEngine({
  directory: plan.directory,
  log,
  reserveBytes: 0,
  minPartBytes: MIN_PART_BYTES,
  clock: () => plan.epochMs + (Date.now() - plan.epochMs) * CLOCK_SPEED + CLOCK_AHEAD_MS,
  hooks: {
    atStep: (step) => {
      if (step === order?.step && --order.nth === 0) process.kill(process.pid, 'SIGKILL')
    }
  }
})
// The check of a start has to be over, and nothing may run beside the audit.
await engine.idle()
const problems = auditStore(plan.directory)

await engine.createBucket({ name: BUCKET, owner: OWNER })
const identity = openIdentityService({ directory: plan.directory, log })
const [known] = identity.listServiceUsers().filter((user) => user.name === OWNER)
const { accessKeyId, secretAccessKey } =
  (known && identity.findCredential(known.accessKeyId)) ??
  identity.createServiceUser({
    name: OWNER,
    policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 's3:*', Resource: '*' }] }
  })
const endpoint = createS3Endpoint({ engine, identity, region: 'us-east-1', log })
const { port } = await endpoint.listen('127.0.0.1', 0)
const ready: StoreChildReady = { port, accessKeyId, secretAccessKey, problems }
process.stdout.write(`${JSON.stringify(ready)}\n`)

for (;;) {
  await engine.housekeeping.collect()
  await engine.housekeeping.expire()
  const { entries } = await engine.listObjects({ bucket: BUCKET, limit: 1000 })
  for (const entry of entries) if ('object' in entry && entry.object.etag.includes('-')) await compact(entry.object.key)
  await pause(TIDY_PAUSE_MS)
}

async function compact(key: string): Promise<void> {
  try {
    const { release } = await engine.localFile(BUCKET, key)
    release()
  } catch (error) {
    if (!(error instanceof StorageError && error.code === 'NoSuchKey')) throw error
  }
}
