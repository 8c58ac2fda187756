import { createHash, randomBytes } from 'node:crypto'
import { expect, onTestFinished, test, vi } from 'vitest'
import { startTestDaemon, type TestDaemon } from '../src/daemon/testing/test-daemon.ts'
import { ConnectionLost } from '../src/renderer/src/features/uploads/engine/patience.ts'
import type { Digest, SendPart } from '../src/renderer/src/features/uploads/engine/transfer.ts'
import { type PickedFile, UploadEngine } from '../src/renderer/src/features/uploads/engine/upload-engine.ts'
import type { UploadItem } from '../src/renderer/src/features/uploads/engine/upload-item.ts'
import type { SavedUpload, UploadMemory } from '../src/renderer/src/features/uploads/engine/upload-memory.ts'
import { getAsset, listAssets } from '../src/shared/api/assets.ts'
import { abortUpload, beginUpload, getUpload } from '../src/shared/api/uploads.ts'
import { ApiError, createApiClient } from '../src/shared/api-client.ts'
import { problemSchema } from '../src/shared/problem.ts'

const MiB = 1024 ** 2

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

const digest: Digest = async (file) => sha256Of(new Uint8Array(await file.arrayBuffer()))

/** What a browser's database keeps: copies. */
function keep(): UploadMemory & { rows: Map<string, SavedUpload> } {
  const rows = new Map<string, SavedUpload>()
  return {
    rows,
    load: async () => structuredClone([...rows.values()]),
    save: (upload) => void rows.set(upload.id, structuredClone(upload)),
    forget(ids) {
      for (const id of ids) rows.delete(id)
    }
  }
}

function picked(name: string, bytes: Uint8Array<ArrayBuffer>, folder = ''): PickedFile {
  return { file: new File([bytes], name, { lastModified: 1_700_000_000_000 }), folder, source: null }
}

/** The line to a daemon; it can be cut and laid to another one, and tells which parts went through. */
function lineTo({ ready }: TestDaemon) {
  const line = {
    ready,
    isCut: false,
    parts: [] as number[],
    beforePart: async (_number: number, _signal: AbortSignal) => {}
  }
  const headers = () => ({ authorization: `Bearer ${line.ready.admin.token}` })
  const reach = async (path: string, init: RequestInit) => {
    if (line.isCut) throw new TypeError('fetch failed')
    return fetch(line.ready.admin.url + path, init)
  }
  const api = createApiClient({ baseUrl: '', headers, transport: (path, init) => reach(path, init as RequestInit) })
  const sendPart: SendPart = async ({ uploadId, number, bytes, signal }) => {
    await line.beforePart(number, signal)
    const path = `/api/v1/uploads/${uploadId}/parts/${number}`
    const answer = await reach(path, { method: 'PUT', body: bytes, headers: headers(), signal }).catch((error) => {
      signal.throwIfAborted()
      throw new ConnectionLost('no answer', { cause: error })
    })
    if (!answer.ok) throw new ApiError(answer.status, problemSchema.parse(await answer.json()))
    line.parts.push(number)
  }
  return { line, api, sendPart }
}

async function setUp(memory = keep()) {
  const daemon = await startTestDaemon()
  const { line, api, sendPart } = lineTo(daemon)
  /** A page that was opened. */
  const open = (usedDigest = digest) =>
    new UploadEngine({
      api,
      sendPart,
      digest: usedDigest,
      memory,
      openSource: async () => null,
      pausesMs: [10, 40]
    })
  return { daemon, line, open, memory, engine: open() }
}

/** Loaded machines are slow. */
const waitFor = <T>(look: () => T | Promise<T>) => vi.waitFor(look, { timeout: 20_000 })

const ids = (engine: UploadEngine) => engine.get().items.map(({ id }) => id)
const statesOf = (engine: UploadEngine) => engine.get().items.map(({ state }) => state)
const until = (engine: UploadEngine, states: UploadItem['state'][]) =>
  waitFor(() => expect(statesOf(engine)).toEqual(states))

const sessionIn = (memory: ReturnType<typeof keep>) => [...memory.rows.values()][0]?.session

/** Lets parts through up to this one and holds the others until their upload is stopped. */
function holdAfter(count: number) {
  let sent = 0
  return (_number: number, signal: AbortSignal) => {
    sent += 1
    if (sent <= count) return Promise.resolve()
    return new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }
}

test('a file of several parts becomes an asset that is held', async () => {
  const { daemon, engine, line, memory } = await setUp()
  const bytes = randomBytes(17 * MiB)
  engine.add([picked('DJI_0001.MP4', bytes, 'DCIM/100MEDIA')])
  await until(engine, ['done'])
  const [item] = engine.get().items
  expect(item).toMatchObject({ folder: 'DCIM/100MEDIA', isDuplicate: false, sentBytes: bytes.length })
  const asset = await daemon.api.call(getAsset, { params: { assetId: item?.assetId ?? '' } })
  expect(asset).toMatchObject({ name: 'DJI_0001.MP4', sha256: sha256Of(bytes), state: 'active', refCount: 1 })
  expect(asset.references).toMatchObject([{ namespace: 'screen', kind: 'strong' }])
  expect(line.parts.sort()).toEqual([1, 2, 3])
  expect(memory.rows.size).toBe(0)
})

test('many small files, an empty one too, and the overall progress', async () => {
  const { daemon, engine } = await setUp()
  const files = Array.from({ length: 30 }, (_, index) => picked(`${index}.bin`, randomBytes(index * 10)))
  engine.add(files)
  await until(engine, Array(30).fill('done'))
  const { totalBytes, hereBytes, counts } = engine.get()
  expect(totalBytes).toBe(4350)
  expect(hereBytes).toBe(4350)
  expect(counts.done).toBe(30)
  expect((await daemon.api.call(listAssets, { query: { limit: 100 } })).items).toHaveLength(30)
  engine.clearDone()
  expect(engine.get().items).toEqual([])
})

test('bytes that are here already are not sent and make no second asset', async () => {
  const { daemon, engine, line } = await setUp()
  const bytes = randomBytes(MiB)
  engine.add([picked('first.bin', bytes)])
  await until(engine, ['done'])
  engine.add([picked('second.bin', bytes)])
  await until(engine, ['done', 'done'])
  const [first, second] = engine.get().items
  expect(second).toMatchObject({ isDuplicate: true, assetId: first?.assetId })
  expect(line.parts).toEqual([1])
  expect((await daemon.api.call(listAssets, {})).items).toHaveLength(1)
})

test('pausing keeps what was sent; going on sends the rest', async () => {
  const { engine, line } = await setUp()
  line.beforePart = holdAfter(1)
  engine.add([picked('long.mp4', randomBytes(20 * MiB))])
  await waitFor(() => expect(line.parts).toHaveLength(1))
  engine.pause(ids(engine))
  expect(statesOf(engine)).toEqual(['paused'])
  await waitFor(() => expect(engine.get().items[0]?.sentBytes).toBeGreaterThanOrEqual(4 * MiB))
  line.beforePart = async () => {}
  engine.resume(ids(engine))
  await until(engine, ['done'])
  expect(line.parts.toSorted()).toEqual([1, 2, 3])
})

test('after the page was loaded again the same file goes on where it was', async () => {
  const { engine, line, open, memory } = await setUp()
  const file = picked('long.mp4', randomBytes(20 * MiB), 'DCIM')
  line.beforePart = holdAfter(2)
  engine.add([file])
  await waitFor(() => expect(line.parts).toHaveLength(2))
  await waitFor(() => expect(sessionIn(memory)?.received).toHaveLength(2))
  // The page goes: nothing of it is heard of any more.
  const saved = structuredClone([...memory.rows.values()])
  engine.pause(ids(engine))
  memory.rows.clear()
  for (const upload of saved) memory.save(upload)
  line.beforePart = async () => {}

  const next = open()
  await next.restore()
  expect(statesOf(next)).toEqual(['lost'])
  expect(next.get().items[0]?.sentBytes).toBeGreaterThanOrEqual(12 * MiB)
  const other = picked('long.mp4', randomBytes(3), 'DCIM')
  next.add([other, { ...file, folder: 'elsewhere' }])
  await until(next, ['done', 'done'])
  expect(next.get().items.map(({ folder, sizeBytes }) => [folder, sizeBytes])).toEqual([
    ['DCIM', 20 * MiB],
    ['DCIM', 3]
  ])
  // Of the long one each part once; the other one has one part.
  expect(line.parts.toSorted()).toEqual([1, 1, 2, 3])
})

test('an outage is waited for, and told', async () => {
  const { engine, line } = await setUp()
  line.beforePart = async () => {
    line.isCut = true
    line.beforePart = async () => {}
  }
  engine.add([picked('a.mp4', randomBytes(10 * MiB)), picked('b.jpg', randomBytes(100))])
  await waitFor(() => expect(engine.get().hindrance).toBe('base_unreachable'))
  expect(statesOf(engine)).not.toContain('failed')
  line.isCut = false
  await until(engine, ['done', 'done'])
  expect(engine.get().hindrance).toBeNull()
})

test('an upload that the base has given up begins anew', async () => {
  const { daemon, engine, line, memory } = await setUp()
  line.beforePart = holdAfter(1)
  engine.add([picked('a.mp4', randomBytes(10 * MiB))])
  await waitFor(() => expect(line.parts).toHaveLength(1))
  engine.pause(ids(engine))
  await daemon.api.call(abortUpload, { params: { uploadId: sessionIn(memory)?.uploadId ?? '' } })
  line.beforePart = async () => {}
  engine.resume(ids(engine))
  await until(engine, ['done'])
})

test('a file that changes on its way is refused, and sent anew when asked', async () => {
  const { open } = await setUp()
  const digests = [sha256Of(new Uint8Array(7))]
  const engine = open((...args) => Promise.resolve(digests.pop() ?? digest(...args)))
  engine.add([picked('a.mp4', randomBytes(100))])
  await until(engine, ['failed'])
  expect(engine.get().items[0]?.problem).toBe('digest_mismatch')
  engine.resume(ids(engine))
  await until(engine, ['done'])
})

test('a file that cannot be read any more fails; given again it goes on', async () => {
  const { open } = await setUp()
  let isCardOut = true
  const engine = open((...args) =>
    isCardOut ? Promise.reject(new DOMException('gone', 'NotReadableError')) : digest(...args)
  )
  const file = picked('a.mp4', randomBytes(100))
  engine.add([file])
  await until(engine, ['failed'])
  expect(engine.get().items[0]?.problem).toBe('file_unreadable')
  isCardOut = false
  engine.add([file])
  await until(engine, ['done'])
})

test('cancelling can be taken back; after a while the base forgets it', async () => {
  const { daemon, engine, line, memory } = await setUp()
  line.beforePart = holdAfter(1)
  engine.add([picked('a.mp4', randomBytes(10 * MiB))])
  await waitFor(() => expect(line.parts).toHaveLength(1))
  const undo = engine.cancel(ids(engine))
  expect(engine.get().items).toEqual([])
  expect([...memory.rows.values()]).toMatchObject([{ isCancelled: true }])
  line.beforePart = async () => {}
  undo()
  await until(engine, ['done'])
  expect(line.parts.toSorted()).toEqual([1, 2])

  line.beforePart = holdAfter(0)
  engine.add([picked('b.mp4', randomBytes(10 * MiB))])
  const { uploadId } = await waitFor(() => sessionIn(memory) ?? Promise.reject(new Error('not begun')))
  vi.useFakeTimers({ toFake: ['setTimeout'] })
  onTestFinished(() => void vi.useRealTimers())
  engine.cancel(ids(engine))
  vi.advanceTimersByTime(20_000)
  vi.useRealTimers()
  await waitFor(() =>
    expect(daemon.api.call(getUpload, { params: { uploadId } })).rejects.toMatchObject({ status: 404 })
  )
  await waitFor(() => expect(memory.rows.size).toBe(0))
})

test('what was cancelled when the page went is forgotten by the next one', async () => {
  const { daemon, open, memory } = await setUp()
  const begun = await daemon.api.call(beginUpload, { body: { name: 'a.mp4', sizeBytes: 10 } })
  if (begun.isStored) throw new Error('stored')
  const { uploadId, partSizeBytes, partCount } = begun
  memory.save({
    id: 'x',
    name: 'a.mp4',
    folder: '',
    sizeBytes: 10,
    lastModifiedMs: 1,
    source: null,
    sha256: null,
    session: { uploadId, partSizeBytes, partCount, received: [] },
    isPaused: false,
    isCancelled: true
  })
  const engine = open()
  await engine.restore()
  expect(engine.get().items).toEqual([])
  await waitFor(() => expect(memory.rows.size).toBe(0))
  await expect(daemon.api.call(getUpload, { params: { uploadId } })).rejects.toMatchObject({ status: 404 })
})

test('a base that is stopped and started again is waited for', async () => {
  const { daemon, engine, line } = await setUp()
  const { dataDir } = daemon
  line.beforePart = async (number) => {
    if (number === 3) line.isCut = true
  }
  engine.add([picked('a.mp4', randomBytes(20 * MiB))])
  await waitFor(() => expect(engine.get().hindrance).toBe('base_unreachable'))
  await daemon.daemon.stop()
  line.ready = (await startTestDaemon({ dataDir })).ready
  line.beforePart = async () => {}
  line.isCut = false
  await until(engine, ['done'])
  expect(new Set(line.parts)).toEqual(new Set([1, 2, 3]))
})
