import { createHash, randomBytes } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { afterEach, expect, it, vi } from 'vitest'
import { HashWorkers } from './hash-workers.ts'

const shared = (bytes: Uint8Array) => {
  const copy = Buffer.from(new SharedArrayBuffer(bytes.length))
  copy.set(bytes)
  return copy
}
const md5 = (bytes: Uint8Array) => createHash('md5').update(bytes).digest('hex')

let workers: HashWorkers
afterEach(() => workers.close())

it('keeps many bodies apart on few threads', async () => {
  workers = new HashWorkers(2)
  const bodies = Array.from({ length: 7 }, () => randomBytes(300_000))
  const digests = await Promise.all(
    bodies.map(async (body) => {
      const running = workers.start('md5')
      for (let at = 0; at < body.length; at += 70_000) await running.update(shared(body.subarray(at, at + 70_000)))
      return running.digest()
    })
  )
  expect(digests).toEqual(bodies.map(md5))
})

it('computes sha256 as well', async () => {
  workers = new HashWorkers(1)
  const [first, second] = [workers.start('sha256'), workers.start('md5')]
  await first.update(shared(Buffer.from('a')))
  await second.update(shared(Buffer.from('a')))
  expect(await first.digest()).toBe(createHash('sha256').update('a').digest('hex'))
  expect(await second.digest()).toBe(md5(Buffer.from('a')))
})

it('gives the md5 of nothing', async () => {
  workers = new HashWorkers(1)
  expect(await workers.start('md5').digest()).toBe('d41d8cd98f00b204e9800998ecf8427e')
})

it('fails what a dying thread had begun, and goes on with another', async () => {
  workers = new HashWorkers(1)
  const threads: Worker[] = []
  const post = vi.spyOn(Worker.prototype, 'postMessage').mockImplementation(function (this: Worker) {
    threads.push(this)
  })
  const running = workers.start('md5')
  const update = running.update(shared(Buffer.from('x')))
  post.mockRestore()
  await Promise.all([expect(update).rejects.toThrow('hash thread'), threads[0]?.terminate()])
  await expect(running.digest()).rejects.toThrow('hash thread')
  expect(await workers.start('md5').digest()).toBe(md5(Buffer.alloc(0)))
})
