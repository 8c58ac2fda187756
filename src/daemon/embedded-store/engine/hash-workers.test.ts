import { createHash, randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, it, vi } from 'vitest'
import { HashWorkers } from './hash-workers.ts'

const shared = (bytes: Uint8Array) => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
const digests = (bytes: Uint8Array) => ({
  sha256: createHash('sha256').update(bytes).digest('hex'),
  md5: createHash('md5').update(bytes).digest('hex')
})

let workers: HashWorkers
afterEach(() => workers.close())

it('keeps many bodies apart on few threads', async () => {
  workers = new HashWorkers(2)
  const bodies = Array.from({ length: 7 }, () => randomBytes(300_000))
  const results = await Promise.all(
    bodies.map(async (body) => {
      const running = workers.start()
      for (let at = 0; at < body.length; at += 70_000) await running.update(shared(body.subarray(at, at + 70_000)))
      return running.digest()
    })
  )
  expect(results).toEqual(bodies.map(digests))
})

it('gives the digests of nothing', async () => {
  workers = new HashWorkers(1)
  expect(await workers.start().digest()).toEqual({
    sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    md5: 'd41d8cd98f00b204e9800998ecf8427e'
  })
})

it('fails what a dying thread had begun, and goes on with another', async () => {
  workers = new HashWorkers(1)
  const threads: Worker[] = []
  const post = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker) {
    threads.push(this)
  })
  const running = workers.start()
  const update = running.update(shared(Buffer.from('x')))
  post.mockRestore()
  await Promise.all([expect(update).rejects.toThrow('hashing thread'), threads[0]?.terminate()])
  await expect(running.digest()).rejects.toThrow('hashing thread')
  expect(await workers.start().digest()).toEqual(digests(Buffer.alloc(0)))
})
