import { connect } from 'node:net'
import { percentile } from './report.ts'

export type Load = {
  url: string
  /** The whole request, headers included, for the n-th call. */
  request: (index: number) => Buffer
  connections: number
  /** Calls in all. */
  calls: number
}

export type LoadResult = { requestsPerSecond: number; p50Ms: number; p99Ms: number }

/**
 * Sends requests over keep-alive connections, one at a time on each, and measures every answer. Works on raw sockets so
 * that the client costs less than any server it measures. Throws for an answer other than 200.
 */
export async function measureLoad({ url, request, connections, calls }: Load): Promise<LoadResult> {
  const { hostname, port } = new URL(url)
  const latenciesMs: number[] = []
  let next = 0
  const startedAt = performance.now()
  const lane = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true })
      let sentAt = 0
      let received = Buffer.alloc(0)
      const send = () => {
        if (next >= calls) {
          socket.destroy()
          return resolve()
        }
        sentAt = performance.now()
        socket.write(request(next++))
      }
      socket.on('connect', send).on('error', reject)
      socket.on('close', () => resolve())
      socket.on('data', (chunk) => {
        received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
        const headEnd = received.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        const head = received.toString('latin1', 0, headEnd)
        const length = /^content-length: *(\d+)/im.exec(head)
        if (!head.startsWith('HTTP/1.1 200') || !length)
          return socket.destroy(new Error(`unexpected answer from ${url}: ${head.split('\r\n')[0]}`))
        if (received.length < headEnd + 4 + Number(length[1])) return
        latenciesMs.push(performance.now() - sentAt)
        received = Buffer.alloc(0)
        send()
      })
    })
  await Promise.all(Array.from({ length: connections }, lane))
  if (latenciesMs.length !== calls)
    throw new Error(`${url} closed connections: ${latenciesMs.length} of ${calls} calls`)
  return {
    requestsPerSecond: (calls / (performance.now() - startedAt)) * 1000,
    p50Ms: percentile(latenciesMs, 0.5),
    p99Ms: percentile(latenciesMs, 0.99)
  }
}

/** A complete POST with a JSON body. */
export function postRequest(path: string, headers: Record<string, string>, body: unknown): Buffer {
  const payload = Buffer.from(JSON.stringify(body))
  const lines = Object.entries({
    host: 'bench',
    'content-type': 'application/json',
    'content-length': String(payload.length),
    ...headers
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), payload])
}
