import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { signHeaders } from '../src/daemon/embedded-store/endpoint/sign-headers.ts'
import { formatBasicIsoTime } from '../src/daemon/embedded-store/endpoint/sigv4.ts'
import { percentile } from './report.ts'

/** An S3 server under measurement. `pid` is missing where nobody said which process it is. */
export type S3Server = {
  name: string
  url: string
  accessKeyId: string
  secretAccessKey: string
  region: string
  pid: number | undefined
}

/** `sha256` is the hex digest of the body; made once for bodies that are sent often. */
export type S3Call = { method: string; target: string; body?: { bytes: Buffer; sha256: string } | undefined }
export type PreparedCall = { head: Buffer; body: Buffer | undefined }
export type S3Answer = { status: number; head: string; body: Buffer }
/** `perSecond`: calls. */
export type S3Load = { perSecond: number; p50Ms: number; p99Ms: number }

const NO_BODY = createHash('sha256').digest('hex')

export const hashed = (bytes: Buffer) => ({ bytes, sha256: createHash('sha256').update(bytes).digest('hex') })

/** Signs a call with its headers, valid from now for 15 minutes. */
export function prepare(server: S3Server, { method, target, body }: S3Call): PreparedCall {
  const timestamp = formatBasicIsoTime(Date.now())
  const scope = { date: timestamp.slice(0, 8), region: server.region, service: 's3' }
  const payloadHash = body?.sha256 ?? NO_BODY
  const headers: Record<string, string> = {
    host: new URL(server.url).host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': timestamp,
    ...(body && target.includes('?delete')
      ? { 'content-md5': createHash('md5').update(body.bytes).digest('base64') }
      : {})
  }
  const { authorization } = signHeaders({ method, target, headers, payloadHash, credentials: server, timestamp, scope })
  const lines = Object.entries({
    ...headers,
    authorization,
    ...(method === 'GET' || method === 'DELETE' ? {} : { 'content-length': String(body?.bytes.length ?? 0) })
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return { head: Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'), body: body?.bytes }
}

/** One kept-alive connection, for one call at a time. Works on the raw socket so that the client costs less than any server. */
export class S3Connection {
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
  }

  static async open(server: S3Server): Promise<S3Connection> {
    const { hostname, port } = new URL(server.url)
    const socket = connect({ host: hostname, port: Number(port), noDelay: true })
    await once(socket, 'connect')
    return new S3Connection(socket)
  }

  /**
   * Sends a call and reads the whole answer; its body is kept only with `keepBody`. Throws for an answer that is not a success or that
   * has neither a length nor chunks.
   */
  call({ head, body }: PreparedCall, keepBody = false): Promise<S3Answer> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      let answerHead = ''
      let pending: Buffer = Buffer.alloc(0)
      let missingBytes = -1
      const kept: Buffer[] = []
      const end = (error?: Error) => {
        socket.removeAllListeners()
        if (error) return reject(error)
        const answer = { status: Number(answerHead.slice(9, 12)), head: answerHead, body: Buffer.concat(kept) }
        if (answer.status < 300) resolve(answer)
        else
          reject(
            new Error(`${head.toString('latin1').split('\r\n')[0]} → ${answerHead.split('\r\n')[0]} ${answer.body}`)
          )
      }
      const take = (chunk: Buffer) => {
        if (keepBody || Number(answerHead.slice(9, 12)) >= 300) kept.push(chunk)
        missingBytes -= chunk.length
        if (missingBytes <= 0) end()
      }
      socket.on('error', end).on('close', () => end(new Error('the server closed the connection')))
      socket.on('data', (chunk: Buffer) => {
        if (missingBytes >= 0) return take(chunk)
        pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk])
        const headEnd = pending.indexOf('\r\n\r\n')
        if (headEnd < 0) return
        answerHead = pending.toString('latin1', 0, headEnd)
        const length = /^content-length: *(\d+)/im.exec(answerHead)
        if (!length && !answerHead.startsWith('HTTP/1.1 204'))
          return end(new Error(`an answer without a length: ${answerHead.split('\r\n')[0]}`))
        missingBytes = Number(length?.[1] ?? 0)
        take(pending.subarray(headEnd + 4))
      })
      socket.write(head)
      if (body) socket.write(body)
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** Sends calls over several connections, one at a time on each, and gives every answer to `onAnswer`. */
export async function sendAll(
  server: S3Server,
  calls: readonly PreparedCall[],
  connections: number,
  onAnswer: (answer: S3Answer, index: number) => void = () => {}
): Promise<S3Load> {
  const open = await Promise.all(Array.from({ length: connections }, () => S3Connection.open(server)))
  const latenciesMs: number[] = []
  let next = 0
  const lane = async (connection: S3Connection) => {
    for (let index = next++; index < calls.length; index = next++) {
      const call = calls[index]
      if (!call) return
      const sentAt = performance.now()
      onAnswer(await connection.call(call), index)
      latenciesMs.push(performance.now() - sentAt)
    }
  }
  try {
    const startedAt = performance.now()
    await Promise.all(open.map(lane))
    const seconds = (performance.now() - startedAt) / 1000
    return {
      perSecond: calls.length / seconds,
      p50Ms: percentile(latenciesMs, 0.5),
      p99Ms: percentile(latenciesMs, 0.99)
    }
  } finally {
    for (const connection of open) connection.close()
  }
}

/** One call over a connection of its own; the answer with its body. */
export async function callOnce(server: S3Server, call: S3Call): Promise<S3Answer> {
  const connection = await S3Connection.open(server)
  try {
    return await connection.call(prepare(server, call), true)
  } finally {
    connection.close()
  }
}
