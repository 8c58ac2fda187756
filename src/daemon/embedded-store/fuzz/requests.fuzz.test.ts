import { connect } from 'node:net'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { socketClosed } from '../../testing/socket-closed.ts'
import { EndpointHarness, type SignedRequest, type TestCredentials } from '../endpoint/endpoint-harness.ts'
import { damaged, edited, edits, FUZZ_TIMEOUT_MS, fuzzOptions } from './cases.ts'

// Whole requests over a socket. A case costs milliseconds, so these take a hundredth of the number of cases asked for.
const OPTIONS = fuzzOptions(40, 0.01)

let harness: EndpointHarness
let reader: TestCredentials
beforeAll(async () => {
  // Long enough for a busy machine, short enough that a body that never comes does not hold up the run.
  harness = await EndpointHarness.open({ idleTimeoutMs: 1500 })
  await harness.put('k', '0123456789')
  const policy = {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: ['s3:Get*', 's3:List*'], Resource: '*' }]
  }
  reader = harness.user({ name: 'reader', policy })
})
afterAll(() => harness.dispose())

/** Everything that is stored, and nothing that failed for a reason of ours. */
async function expectUntouched(): Promise<void> {
  const listing = await harness.request({ target: '/media?versions' })
  expect([...listing.body.matchAll(/<Key>(.*?)<\/Key>/g)].map((match) => match[1])).toEqual(['k'])
  expect((await harness.get('k')).body).toBe('0123456789')
  expect((await harness.request({ target: '/media?uploads' })).body).not.toContain('<Upload>')
  expect((await harness.request({ target: '/' })).body.match(/<Name>/g)).toHaveLength(1)
  expect(await harness.staged()).toEqual([])
  expect(harness.logged.filter((line) => line.includes('s3 request failed'))).toEqual([])
}

/** Sends bytes and waits until the endpoint has closed. With `leaves` the client closes its half at once, so nothing waits for what is incomplete. */
async function exchange(bytes: Buffer, { leaves }: { leaves: boolean }): Promise<string> {
  const socket = connect(harness.port, '127.0.0.1')
  const closed = socketClosed(socket)
  let answer = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    answer += text
  })
  if (leaves) socket.end(bytes)
  else socket.write(bytes)
  await closed
  return answer
}

/** Each case is from another time, so that the limit for wrong signatures does not answer instead. */
function nextMoment(): void {
  harness.turnClock(harness.nowMs - Date.now() + 11_000)
}

const statusesOf = (answer: string) => [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))

const TOKENS = [
  ...[
    '\r\n',
    '\n',
    ':',
    ' ',
    '\0',
    '%',
    '..',
    '?',
    '#',
    'http://h/',
    'HTTP/1.0',
    'HTTP/2.0',
    'GET ',
    'PUT ',
    'DELETE ',
    'OPTIONS '
  ],
  ...[
    'Content-Length: 5\r\n',
    'Transfer-Encoding: chunked\r\n',
    'Expect: 100-continue\r\n',
    'Host: evil\r\n',
    'Connection: upgrade\r\n'
  ],
  ...[
    'x-amz-copy-source: /media/k\r\n',
    'x-amz-content-sha256: UNSIGNED-PAYLOAD\r\n',
    'x-amz-acl: public-read\r\n',
    'range: bytes=0-0\r\n'
  ],
  ...[
    '?delete',
    '?uploads',
    '?partNumber=1&uploadId=x',
    '?cors',
    '?list-type=2',
    '?X-Amz-Signature=0',
    'origin: http://evil\r\n'
  ],
  ...[
    '5\r\nhello\r\n0\r\n\r\n',
    '<Delete><Object><Key>k</Key></Object></Delete>',
    'GET /media HTTP/1.1\r\nHost: h\r\n\r\n'
  ]
]

test('a signed request that was damaged on its way changes nothing, is answered or cut off, and never by a failure of ours', {
  timeout: FUZZ_TIMEOUT_MS
}, async () => {
  const requests: SignedRequest[] = [
    { method: 'PUT', target: '/media/new', body: 'hello', headers: { 'content-length': '5' } },
    {
      method: 'PUT',
      target: '/media/new',
      payloadHash: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'x-amz-trailer': 'x-amz-checksum-crc32', 'x-amz-decoded-content-length': '5', 'content-length': '45' },
      body: '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n'
    },
    {
      method: 'POST',
      target: '/media?delete',
      body: '<Delete><Object><Key>k</Key></Object></Delete>',
      headers: { 'content-length': '45' }
    },
    { method: 'POST', target: '/media/new?uploads', headers: { 'content-length': '0' } },
    { method: 'DELETE', target: '/media/k' },
    { method: 'PUT', target: '/fresh', headers: { 'content-length': '0' } }
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...requests), edits(TOKENS), fc.boolean(), async (request, changes, isForged) => {
      nextMoment()
      // What these requests do is allowed to nobody who sends them here: they are signed wrongly, or by one who may only read.
      const tamper = (text: string) => text.slice(0, -1) + (text.endsWith('0') ? '1' : '0')
      const signed = isForged ? { ...request, tamper } : { ...request, credentials: reader }
      const text = `${harness.head(signed, 'connection: close\r\n')}${String(request.body ?? '')}`
      const statuses = statusesOf(await exchange(Buffer.from(edited(text, changes), 'latin1'), { leaves: true }))
      for (const status of statuses) expect(status < 500 || status === 501 || status === 503).toBe(true)
    }),
    OPTIONS
  )
  await expectUntouched()
})

const query = damaged(
  fc.constantFrom(
    '?list-type=2&prefix=a&delimiter=%2F',
    '?versions&max-keys=1',
    '?uploads',
    '?location',
    '?partNumber=1',
    '?acl',
    '?cors',
    ''
  ),
  [
    '&',
    '=',
    'max-keys=',
    '-1',
    '1000',
    'marker=',
    'continuation-token=',
    'encoding-type=url',
    '%00',
    'uploadId=',
    'response-content-type='
  ]
)

test('whatever a reader asks for, well signed: an answer, and none that is our failure', {
  timeout: FUZZ_TIMEOUT_MS
}, async () => {
  const header = fc.constantFrom(
    'range',
    'if-match',
    'if-none-match',
    'if-modified-since',
    'x-amz-checksum-mode',
    'x-amz-meta-a',
    'content-md5'
  )
  const value = damaged(fc.constantFrom('bytes=0-4', '"x"', '*', 'Fri, 20 Nov 2026 12:00:00 GMT', 'ENABLED'), [
    ',',
    '"',
    'W/',
    '-'
  ]).map((text) => text.replace(/[^\x21-\x7e ]/g, '').trim())
  const method = fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH')
  const path = fc.constantFrom('/', '/media', '/media/', '/media/k', '/media/missing', '/nowhere', '/nowhere/k')
  await fc.assert(
    fc.asyncProperty(
      method,
      path,
      query,
      fc.dictionary(header, value, { maxKeys: 3 }),
      async (verb, name, parameters, headers) => {
        nextMoment()
        const target = name + parameters.replace(/[^\x21-\x7e]/g, '').replaceAll('#', '')
        const request = { method: verb, target, headers, credentials: reader }
        let head: string
        try {
          head = harness.head(request, 'connection: close\r\n')
        } catch {
          // It cannot be signed, since it cannot be read.
          return
        }
        const [status = 0] = statusesOf(await exchange(Buffer.from(head, 'latin1'), { leaves: false }))
        expect([200, 204, 206, 304, 400, 403, 404, 405, 411, 412, 416, 501]).toContain(status)
      }
    ),
    OPTIONS
  )
  await expectUntouched()
})

test('documents that are sent well signed do what they say or are refused', { timeout: FUZZ_TIMEOUT_MS }, async () => {
  const tokens = [
    '<',
    '>',
    '&',
    '&amp;',
    '<Object>',
    '</Object>',
    '<Key>',
    '</Key>',
    '<VersionId>null</VersionId>',
    '<ETag>x</ETag>',
    '<Quiet>true</Quiet>',
    '\0'
  ]
  const right: [string, string][] = [
    ['POST /media?delete', '<Delete><Object><Key>a&amp;b</Key></Object><Object><Key>c</Key></Object></Delete>'],
    [
      'POST /media/new?uploadId=x',
      '<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"x"</ETag></Part></CompleteMultipartUpload>'
    ],
    [
      'PUT /media?cors',
      '<CORSConfiguration><CORSRule><AllowedOrigin>*</AllowedOrigin><AllowedMethod>GET</AllowedMethod></CORSRule></CORSConfiguration>'
    ],
    ['PUT /media?acl', '<AccessControlPolicy><Owner><ID>x</ID></Owner></AccessControlPolicy>'],
    [
      'PUT /media',
      '<CreateBucketConfiguration><LocationConstraint>us-east-1</LocationConstraint></CreateBucketConfiguration>'
    ]
  ]
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...right), edits(tokens), async ([line, document], changes) => {
      nextMoment()
      const [method = '', target = ''] = line.split(' ')
      // "k" is what must stay; nothing in these documents names it.
      const body = edited(document, changes).replaceAll('<Key>k<', '<Key>other<')
      const answer = await harness.request({ method, target, body: Buffer.from(body) })
      expect([200, 400, 404]).toContain(answer.status)
      expect(answer.body).not.toContain('InternalError')
    }),
    OPTIONS
  )
  await harness.request({ method: 'DELETE', target: '/media?cors' })
  await expectUntouched()
})

test('STS forms: credentials for what is right, an STS error for everything else', {
  timeout: FUZZ_TIMEOUT_MS
}, async () => {
  const right = fc.constantFrom(
    'Action=AssumeRole&Version=2011-06-15&DurationSeconds=900&RoleSessionName=ws-1',
    'Action=AssumeRole&Version=2011-06-15&Policy=%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%5D%7D',
    'Action=GetCallerIdentity&Version=2011-06-15'
  )
  const tokens = [
    '&',
    '=',
    '%',
    '+',
    'Action=',
    'Version=',
    'Policy=',
    '%7B',
    '%00',
    'DurationSeconds=',
    '-1',
    '1e3',
    '999999999',
    'RoleSessionName='
  ]
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  await fc.assert(
    fc.asyncProperty(damaged(right, tokens), async (body) => {
      nextMoment()
      const bytes = Buffer.from(body)
      const answer = await harness.request({ method: 'POST', target: '/', body: bytes, headers, service: 'sts' })
      expect([200, 400]).toContain(answer.status)
      const form = new URLSearchParams(bytes.toString())
      if (answer.status === 200) expect(['AssumeRole', 'GetCallerIdentity']).toContain(form.get('Action'))
      else expect(answer.body).toContain('<ErrorResponse xmlns=')
    }),
    OPTIONS
  )
  await expectUntouched()
})
