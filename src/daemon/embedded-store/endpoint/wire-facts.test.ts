import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { checksumOf } from '../engine/checksums.ts'
import {
  canonicalPath,
  canonicalRequest,
  deriveSigningKey,
  EMPTY_SHA256,
  hmac,
  scopeText,
  sha256Hex,
  stringToSign
} from './canonical-request.ts'
import { EndpointHarness, REGION } from './endpoint-harness.ts'
import { parseRequestTarget } from './request-target.ts'
import { formatBasicIsoTime } from './sigv4.ts'

// What clients put on the wire, as they were recorded doing it or as their sources say: spelling, order and choice of headers, framing,
// documents. Each request is signed anew and must get the answer that its client needs.

const fixtureSchema = z.strictObject({
  client: z.string(),
  requests: z.array(
    z.strictObject({
      does: z.string(),
      /** Lines as sent. In braces stands what differs each time; `{uploadId}` is the last one that was answered. */
      head: z.array(z.string()).min(2),
      service: z.enum(['s3', 'sts']).default('s3'),
      body: z.string().default(''),
      /** The body instead, in aws-chunked framing, signed where the mode says so … */
      chunks: z.array(z.string()).optional(),
      /** … and how it ends: `{chunk}` and `{trailer}` are the last signatures. */
      trailer: z.string().default(''),
      /** All of it is in the answer, status line and headers included. */
      answer: z.array(z.string()).min(1),
      not: z.array(z.string()).default([])
    })
  )
})
type WireRequest = z.infer<typeof fixtureSchema>['requests'][number]

const folder = join(import.meta.dirname, 'fixtures')
const fixtures = globSync('*.json', { cwd: folder })
  .toSorted()
  .map((name) => fixtureSchema.parse(JSON.parse(readFileSync(join(folder, name), 'utf8'))))

let harness: EndpointHarness
beforeAll(async () => {
  harness = await EndpointHarness.open()
})
afterAll(() => harness.dispose())

describe.each(fixtures)('$client', ({ requests }) => {
  const known = { uploadId: '' }
  it.each(requests)('$does', async (request) => {
    const answer = await send(...(await compose(request, known)))
    known.uploadId = /<UploadId>(.*?)</.exec(answer)?.[1] ?? known.uploadId
    const values = await valuesOf(request)
    for (const part of request.answer) expect(answer.toLowerCase()).toContain(fill(part, values).toLowerCase())
    for (const part of request.not) expect(answer.toLowerCase()).not.toContain(part.toLowerCase())
  })
})

const fill = (text: string, values: Record<string, string>) =>
  text.replace(/\{(\w+)\}/g, (placeholder, name: string) => values[name] ?? placeholder)

/** What follows from the bytes of a request alone. */
async function valuesOf({ body, chunks }: WireRequest): Promise<Record<string, string>> {
  const payload = Buffer.from(chunks?.join('') ?? body)
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(payload))
  return {
    sha256: sha256Hex(payload),
    md5: createHash('md5').update(payload).digest('base64'),
    crc32: checksum.toString('base64'),
    crc32c: (await checksumOf('CRC32C', payload)).toString('base64')
  }
}

/** The head and the body of a request, signed now. */
async function compose(request: WireRequest, known: { uploadId: string }): Promise<[head: string, body: Buffer]> {
  const date = formatBasicIsoTime(harness.nowMs)
  const scope = { date: date.slice(0, 8), region: REGION, service: request.service }
  const { accessKeyId, secretAccessKey } = harness.admin
  const signingKey = deriveSigningKey(secretAccessKey, scope)
  const payload = await valuesOf(request)
  const values: Record<string, string> = {
    ...payload,
    ...known,
    host: `127.0.0.1:${harness.port}`,
    date,
    credential: `${accessKeyId}/${scopeText(scope)}`,
    length: String(encodedLength(request, payload))
  }
  const lines = request.head.map((line) => fill(line, values))
  const [requestLine = '', ...headerLines] = lines
  const headers = new Map(
    headerLines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)])
  )
  const [method = '', target = ''] = requestLine.split(' ')
  const { rawPath, query } = parseRequestTarget(target)
  const signedHeaders = /SignedHeaders=([^,]*)/.exec(headers.get('authorization') ?? '')?.[1]?.split(';') ?? []
  const payloadHash = headers.get('x-amz-content-sha256') ?? payload['sha256'] ?? ''
  const canonical = canonicalRequest({
    method,
    path: canonicalPath(rawPath),
    query,
    headers,
    signedHeaders,
    payloadHash
  })
  const signature = hmac(signingKey, stringToSign(date, scope, canonical)).toString('hex')
  const head = `${lines.map((line) => fill(line, { signature })).join('\r\n')}\r\n\r\n`
  const sign = (kind: string, ...rest: string[]) =>
    hmac(signingKey, [kind, date, scopeText(scope), ...rest].join('\n')).toString('hex')
  const body = request.chunks === undefined ? request.body : encodeChunks(request, signature, sign, payload)
  return [
    head,
    Buffer.from(
      headers.has('transfer-encoding') ? `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n` : body
    )
  ]
}

const isSigned = ({ trailer }: WireRequest) => trailer.includes('{chunk}')

function encodeChunks(
  request: WireRequest,
  seed: string,
  sign: (kind: string, ...rest: string[]) => string,
  payload: Record<string, string>
): string {
  let previous = seed
  const next = (chunk: string) => {
    previous = sign('AWS4-HMAC-SHA256-PAYLOAD', previous, EMPTY_SHA256, sha256Hex(chunk))
    return previous
  }
  const data = (request.chunks ?? []).map((chunk) => {
    const extension = isSigned(request) ? `;chunk-signature=${next(chunk)}` : ''
    return `${Buffer.byteLength(chunk).toString(16)}${extension}\r\n${chunk}\r\n`
  })
  const chunk = next('')
  const [, name = '', value = ''] = /\r\n(x-amz-checksum-\w+):([^\r\n]*)/.exec(fill(request.trailer, payload)) ?? []
  const trailer = sign('AWS4-HMAC-SHA256-TRAILER', previous, sha256Hex(`${name}:${value}\n`))
  return data.join('') + fill(request.trailer, { ...payload, chunk, trailer })
}

/** Signatures all have the same length, so that of the body is known before it is signed. */
function encodedLength(request: WireRequest, payload: Record<string, string>): number {
  return Buffer.byteLength(
    request.chunks === undefined ? request.body : encodeChunks(request, '', () => '0'.repeat(64), payload)
  )
}

/** Sends as clients do: a body that is held back until it is asked for, and one answer awaited. */
function send(head: string, body: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(harness.port, '127.0.0.1')
    let answer = ''
    let waits = /\r\nexpect: 100-continue\r\n/i.test(head)
    socket.setEncoding('utf8').on('data', (text: string) => {
      answer += text
      if (waits && answer.includes('HTTP/1.1 100')) {
        waits = false
        socket.write(body)
      }
      if (isComplete(answer, head.startsWith('HEAD '))) {
        socket.destroy()
        resolve(answer)
      }
    })
    socket.on('error', reject)
    socket.on('close', () => resolve(answer))
    socket.write(head)
    if (!waits) socket.write(body)
  })
}

function isComplete(answer: string, isHead: boolean): boolean {
  const last = answer.slice(answer.lastIndexOf('HTTP/1.1 '))
  const end = last.indexOf('\r\n\r\n')
  if (end < 0 || last.startsWith('HTTP/1.1 100')) return false
  const length = /\r\ncontent-length: (\d+)/i.exec(last)?.[1] ?? '0'
  return isHead || Buffer.byteLength(last.slice(end + 4)) >= Number(length)
}
