import { readFile } from 'node:fs/promises'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { BUCKET, EngineHarness, md5, OWNER, sha256 } from './engine-harness.ts'

type Expected = { bytes: Buffer; etag: string }

const key = fc.constantFrom('a', 'b', 'a/1', 'a/2', 'B')
const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array))
const position = fc.nat({ max: 50 })

const command = fc.oneof(
  fc.record({ type: fc.constant('put' as const), key, bytes }),
  fc.record({ type: fc.constant('create' as const), key, bytes }),
  fc.record({ type: fc.constant('copy' as const), key, target: key }),
  fc.record({ type: fc.constant('delete' as const), key }),
  fc.record({
    type: fc.constant('multipart' as const),
    key,
    parts: fc.array(bytes, { minLength: 1, maxLength: 4 }),
    ending: fc.constantFrom('complete' as const, 'abort' as const, 'drop last' as const)
  }),
  fc.record({ type: fc.constant('partCopy' as const), key, target: key, start: position, end: position }),
  fc.record({ type: fc.constant('read' as const), key, start: position, end: position }),
  fc.record({ type: fc.constant('file' as const), key }),
  fc.record({ type: fc.constant('collect' as const) }),
  fc.record({ type: fc.constant('reopen' as const) })
)
type Command = typeof command extends fc.Arbitrary<infer C> ? C : never

const outcome = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work
    return 'ok'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

async function run(store: EngineHarness, model: Map<string, Expected>, step: Command, passTime: () => void) {
  const { engine } = store
  switch (step.type) {
    case 'put':
      await store.put(step.key, step.bytes)
      model.set(step.key, { bytes: step.bytes, etag: md5(step.bytes) })
      return
    case 'create': {
      const known = model.get(step.key)
      const answer = await outcome(store.put(step.key, step.bytes, { precondition: { ifNoneMatch: '*' } }))
      expect(answer).toBe(known ? 'PreconditionFailed' : 'ok')
      if (!known) model.set(step.key, { bytes: step.bytes, etag: md5(step.bytes) })
      return
    }
    case 'copy': {
      const known = model.get(step.key)
      const source = { bucket: BUCKET, key: step.key }
      expect(await outcome(engine.copyObject({ source, bucket: BUCKET, key: step.target }))).toBe(
        known ? 'ok' : 'NoSuchKey'
      )
      if (known) model.set(step.target, known)
      return
    }
    case 'delete':
      expect(await engine.deleteObject(BUCKET, step.key)).toEqual({ existed: model.delete(step.key) })
      return
    case 'multipart': {
      const upload = await engine.createUpload({ bucket: BUCKET, key: step.key, owner: OWNER })
      const stored = await Promise.all(
        step.parts.map(async (part, at) => engine.putPart({ upload, number: at + 1, body: await store.body(part) }))
      )
      if (step.ending === 'abort') return engine.abortUpload(upload)
      const listed = step.ending === 'drop last' && stored.length > 1 ? stored.slice(0, -1) : stored
      const { etag } = await engine.completeUpload({ upload, parts: listed })
      model.set(step.key, { bytes: Buffer.concat(step.parts.slice(0, listed.length)), etag: compositeEtag(listed) })
      expect(etag).toBe(compositeEtag(listed))
      return
    }
    case 'partCopy': {
      const known = model.get(step.key)
      const upload = await engine.createUpload({ bucket: BUCKET, key: step.target, owner: OWNER })
      const source = { bucket: BUCKET, key: step.key }
      const range = { start: step.start, end: step.end }
      const fits = known && step.start <= step.end && step.end < known.bytes.length
      const copied = engine.copyPart({ upload, number: 1, source, range })
      if (!fits) {
        expect(await outcome(copied)).toBe(known ? 'InvalidRange' : 'NoSuchKey')
        return
      }
      const part = await copied
      await engine.completeUpload({ upload, parts: [part] })
      model.set(step.target, { bytes: known.bytes.subarray(step.start, step.end + 1), etag: compositeEtag([part]) })
      return
    }
    case 'read': {
      const known = model.get(step.key)
      const range = { start: step.start, end: step.end }
      if (!known) return expect(await outcome(store.get(step.key, range))).toBe('NoSuchKey')
      if (step.start >= known.bytes.length || step.end < step.start)
        return expect(await outcome(store.get(step.key, range))).toBe('InvalidRange')
      expect(await store.get(step.key, range)).toEqual(known.bytes.subarray(step.start, step.end + 1))
      return
    }
    case 'file': {
      const known = model.get(step.key)
      if (!known) return expect(await outcome(engine.localFile(BUCKET, step.key))).toBe('NoSuchKey')
      const file = await engine.localFile(BUCKET, step.key)
      expect(await readFile(file.path)).toEqual(known.bytes)
      file.release()
      return
    }
    case 'collect':
      passTime()
      await engine.housekeeping.collect()
      return
    case 'reopen':
      await store.reopen()
      return
  }
}

const compositeEtag = (parts: { etag: string }[]) =>
  `${md5(Buffer.concat(parts.map((part) => Buffer.from(part.etag, 'hex'))))}-${parts.length}`

it('behaves like a map of keys to bytes, whatever is done to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 25 }), async (steps) => {
      let nowMs = Date.now()
      const store = await EngineHarness.open({ minPartBytes: 0, clock: () => nowMs })
      try {
        const model = new Map<string, Expected>()
        for (const step of steps)
          await run(store, model, step, () => {
            nowMs += 61_000
          })
        const names = [...model.keys()].toSorted()
        expect(await store.listAll({ limit: 2 })).toEqual(names)
        for (const name of names) {
          const { bytes: content, etag } = model.get(name)!
          expect(await store.engine.headObject(BUCKET, name)).toMatchObject({ etag, sizeBytes: content.length })
          expect(await store.get(name)).toEqual(content)
          expect(await store.engine.digestOf(BUCKET, name)).toBe(sha256(content))
        }
        // Once everything is deleted and collected, nothing is left on disk.
        await Promise.all(names.map((name) => store.engine.deleteObject(BUCKET, name)))
        for (const entry of (await store.engine.listUploads({ bucket: BUCKET, limit: 1000 })).entries)
          if ('upload' in entry) await store.engine.abortUpload(entry.upload)
        nowMs += 61_000
        await store.engine.housekeeping.collect()
        expect(await store.blobFiles()).toEqual([])
      } finally {
        await store.dispose()
      }
    }),
    { numRuns: 60 }
  )
})
