import { createHash } from 'node:crypto'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { EndpointHarness } from './endpoint-harness.ts'

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

const put = (key: string, body: string | Buffer, headers?: Record<string, string>) => harness.put(key, body, headers)

describe('8.3 slow and crowded uploads', () => {
  it('O34, O35: a body may be slow, but not silent', async () => {
    const quick = await EndpointHarness.open({ idleTimeoutMs: 300 })
    const request = { method: 'PUT', target: '/media/slow', payloadHash: 'UNSIGNED-PAYLOAD' }
    const head = quick.head(request, 'connection: close\r\ncontent-length: 10\r\n')
    expect(await quick.raw(head, 'abc')).toMatch(/^HTTP\/1\.1 400 [\s\S]*<Code>RequestTimeout</)
    const socket = connect(quick.port, '127.0.0.1')
    let answer = ''
    socket.on('data', (chunk) => {
      answer += chunk.toString()
    })
    socket.write(head)
    for (let sent = 0; sent < 10; sent++) {
      // The pace of the client is what this is about: together longer than the idle time, each pause shorter.
      await delay(50)
      socket.write('x')
    }
    await vi.waitFor(() => expect(answer).toMatch(/^HTTP\/1\.1 200 /))
    await quick.dispose()
  })
  it('bodies beyond the limit wait for a moment and are then told to slow down', async () => {
    const crowded = await EndpointHarness.open({ bodySlots: { total: 1, perKey: 1, maxWaitMs: 100 } })
    const socket = connect(crowded.port, '127.0.0.1')
    const request = { method: 'PUT', target: '/media/one', payloadHash: 'UNSIGNED-PAYLOAD' }
    socket.write(`${crowded.head(request, 'content-length: 10\r\n')}abc`)
    await vi.waitFor(() => expect(crowded.endpoint.inFlightBodies()).toBe(1))
    const refused = await crowded.request({ method: 'PUT', target: '/media/two', body: 'x' })
    expect(refused).toMatchObject({ status: 503, code: 'SlowDown', headers: { 'retry-after': '1' } })
    const waiting = crowded.request({ method: 'PUT', target: '/media/two', body: 'x' })
    socket.write('defghij')
    expect((await waiting).status).toBe(200)
    socket.destroy()
    await crowded.dispose()
  })
  it('people see uploads start, go on and end', async () => {
    harness.progress.length = 0
    await put('progress', 'hello')
    await put('progress', 'hello', { 'content-md5': createHash('md5').update('y').digest('base64') })
    expect(harness.progress.map((event) => event.state)).toEqual(['started', 'stored', 'started', 'failed'])
    expect(harness.progress[1]).toEqual({
      accessKeyId: harness.admin.accessKeyId,
      sessionDeviceId: null,
      bucket: 'media',
      key: 'progress',
      part: null,
      receivedBytes: 5,
      totalBytes: 5,
      state: 'stored'
    })
    expect(harness.progress[3]?.errorCode).toBe('BadDigest')
  })
})
