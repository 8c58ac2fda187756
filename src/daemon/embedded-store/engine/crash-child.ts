// A process that writes to a store and dies at a chosen step, or holds the store open; started by durability.test.ts.
import { pino } from 'pino'
import { z } from 'zod'
import { createStorageEngine } from './create-storage-engine.ts'

const plan = z
  .object({
    directory: z.string(),
    action: z.enum(['put', 'part', 'complete', 'hold']),
    step: z.enum(['staged', 'synced', 'renamed', 'committed']).optional(),
    upload: z.object({ bucket: z.string(), key: z.string(), uploadId: z.string(), owner: z.string() }).optional(),
    etag: z.string().optional()
  })
  .parse(JSON.parse(process.argv[2] ?? ''))

const engine = await createStorageEngine({
  directory: plan.directory,
  log: pino({ level: 'silent' }),
  reserveBytes: 0,
  hooks: {
    atStep: (step) => {
      if (step === plan.step) process.kill(process.pid, 'SIGKILL')
    }
  }
})
console.log('open')

if (plan.action === 'hold') setInterval(() => {}, 1000)
else if (plan.action === 'complete' && plan.upload) {
  await engine.completeUpload({ upload: plan.upload, parts: [{ number: 1, etag: plan.etag ?? '' }] })
} else {
  const body = await engine.openBody({ sizeBytes: null })
  for (let chunk = 0; chunk < 3; chunk++) await body.write(Buffer.alloc(1_000_000, 'new'))
  await body.finish()
  if (plan.action === 'part' && plan.upload) await engine.putPart({ upload: plan.upload, number: 1, body })
  else await engine.putObject({ bucket: 'media', key: 'k', body })
}
