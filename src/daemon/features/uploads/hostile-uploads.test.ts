import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { describe, expect, test } from 'vitest'
import { listAssets } from '../../../shared/api/assets.ts'
import { uploadedMediaSchema, uploadMedia } from '../../../shared/api/uploads.ts'
import { problemSchema } from '../../../shared/problem.ts'
import { blankPng } from '../../testing/photos.ts'
import { storedKeys } from '../../testing/stored-keys.ts'
import { startTestDaemon, type TestDaemon } from '../../testing/test-daemon.ts'
import { uploadWays } from './upload-ways.ts'

/** What the daemon says to these bytes, until it closes the connection. */
async function say(base: TestDaemon, ...pieces: (string | Buffer)[]): Promise<string> {
  const { hostname, port } = new URL(base.ready.admin.url)
  const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
  let answer = ''
  socket.on('data', (chunk) => {
    answer += chunk
  })
  for (const piece of pieces) socket.write(piece)
  // Who is refused in the middle of a sentence may be cut off: the answer has come by then.
  await new Promise<void>((resolve) => socket.once('end', resolve).once('error', () => resolve()))
  socket.destroy()
  return answer
}

const head = (base: TestDaemon, ...lines: string[]) =>
  [
    `POST ${uploadMedia.path} HTTP/1.1`,
    `host: ${new URL(base.ready.admin.url).host}`,
    'connection: close',
    `authorization: Bearer ${base.ready.admin.token}`,
    ...lines,
    '',
    ''
  ].join('\r\n')

const part = (disposition: string | Buffer, content: string | Buffer = 'x', more = '') =>
  Buffer.concat([
    Buffer.from('--b\r\ncontent-disposition: '),
    Buffer.from(disposition),
    Buffer.from(`${more}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n')
  ])

const sendForm = (base: TestDaemon, ...parts: Buffer[]) =>
  base.fetch(uploadMedia.path, {
    method: 'POST',
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: Buffer.concat([...parts, Buffer.from('--b--\r\n')])
  })

async function refusal(answer: Response) {
  const { status, code } = problemSchema.parse(await answer.json())
  return [status, code]
}

async function expectNothingLeft(base: TestDaemon): Promise<void> {
  await base.daemon.idle()
  expect(storedKeys(base.dataDir)).toEqual([])
  expect((await base.api.call(listAssets, {})).items).toEqual([])
}

describe('names', () => {
  const names: [given: string, kept: string][] = [
    ['../../../etc/passwd', 'passwd'],
    ['..\\..\\windows\\system32\\a.dll', 'a.dll'],
    ['a"; filename="b.jpg', 'a"; filename="b.jpg'],
    ['x\u0000.jpg', 'x.jpg'],
    ['x\r\nset-cookie: a=b\r\n\r\n<script>.jpg', 'xset-cookie: a=b<script>.jpg'],
    ['\u202egpj.exe', 'gpj.exe'],
    ['航拍 🛩️ «ü».jpg', '航拍 🛩️ «ü».jpg'],
    ['%2e%2e%2fa.jpg', '%2e%2e%2fa.jpg'],
    ['CON', 'CON'],
    ['.', 'file']
  ]

  test.each(['link', 'parts', 'tus'] as const)(
    'are harmless in every header they come to stand in: %s',
    async (way) => {
      const base = await startTestDaemon()
      for (const [given, kept] of [...names, [`${'飞'.repeat(340)}.jpg`, `${'飞'.repeat(83)}.jpg`] as const]) {
        const outcome = await uploadWays[way](base, randomBytes(4), given)
        if (!('asset' in outcome)) throw new Error(`${given}: ${outcome.refused}`)
        expect(outcome.asset.name).toBe(kept)
        const { headers } = await base.fetch(`/media/${outcome.asset.id}`)
        expect(headers.get('set-cookie')).toBeNull()
        const disposition = headers.get('content-disposition') ?? ''
        expect(disposition).toMatch(/^attachment; filename="[\x20!#-~]*"; filename\*=UTF-8''[\w!#$&+.^`|~%-]+$/)
        expect(decodeURIComponent(disposition.split("''")[1] ?? '')).toBe(kept.replaceAll(/[/\\]/g, '_'))
      }
    }
  )

  test('in the headers of a form, however broken, make a file with a clean name or none', async () => {
    const base = await startTestDaemon()
    const named = (name: string | Buffer) =>
      Buffer.concat([Buffer.from('form-data; name="file"; filename'), Buffer.from(name)])
    for (const disposition of [
      named('="a\0b\x07.jpg"'),
      named('="a.jpg'),
      named(`*=UTF-8''%00%0d%0a%e2%80%ae.jpg`),
      named(`*=nonsense''a.jpg`),
      named(Buffer.from([0x3d, 0x22, 0xff, 0xfe, 0x22])),
      named(`="a"${'; a=b'.repeat(1000)}`)
    ]) {
      const answer = await sendForm(base, part(disposition))
      if (!answer.ok) {
        expect(await refusal(answer)).toEqual([400, 'invalid_request'])
        continue
      }
      const { asset } = uploadedMediaSchema.parse(await answer.json())
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name
      expect(asset.name).not.toMatch(/[\u0000-\u001f\u202e/\\]/)
      expect(asset.name.isWellFormed()).toBe(true)
    }
  })
})

describe('forms', () => {
  const file = part('form-data; name="file"; filename="a"', randomBytes(100_000))

  test('with too many parts, fields or headers, and fields that are none, are refused and leave nothing', async () => {
    const base = await startTestDaemon()
    const field = (name: string) => part(`form-data; name="${name}"`)
    const many = Array.from({ length: 5000 }, (_, index) => field(`f${index}`))
    for (const parts of [
      [file, ...many],
      [...many, file],
      [file, ...Array.from({ length: 60 }, () => part('form-data; name="file"; filename="a"'))],
      [file, field('__proto__')],
      [file, field('constructor')],
      [file, field('owner'), field('owner')],
      [file, part('form-data; name="name"', 'x'.repeat(2000))],
      [file, part('form-data; name="name"', 'x'.repeat(1_000_000))]
    ])
      expect(await refusal(await sendForm(base, ...parts))).toEqual([400, 'invalid_request'])
    await expectNothingLeft(base)
  })

  test('with headers of a megabyte or inner forms are no file, or an ordinary one', async () => {
    const base = await startTestDaemon()
    for (const more of [
      `\r\nx: ${'y'.repeat(1_000_000)}`,
      '\r\nx: y'.repeat(10_000),
      '\r\ncontent-type: multipart/mixed; boundary=c',
      '\r\ncontent-transfer-encoding: base64'
    ]) {
      const answer = await sendForm(base, part('form-data; name="file"; filename="a"', 'some', more))
      expect([200, 400]).toContain(answer.status)
      if (answer.status === 400) expect(await refusal(answer)).toEqual([400, 'invalid_request'])
    }
  })

  test('with a boundary that is none are refused', async () => {
    const base = await startTestDaemon()
    for (const boundary of ['', 'b'.repeat(5000), '"', 'b%00', '🛩️']) {
      const headers = { 'content-type': `multipart/form-data; boundary=${encodeURI(boundary)}` }
      const body = Buffer.concat([file, Buffer.from('--b--\r\n')])
      const answer = await base.fetch(uploadMedia.path, { method: 'POST', headers, body })
      expect(await refusal(answer)).toEqual([400, 'invalid_request'])
    }
    await expectNothingLeft(base)
  })
})

describe('requests', () => {
  test('with huge headers, two lengths, or a length and chunks are refused before anything is read', async () => {
    const base = await startTestDaemon()
    const type = 'content-type: multipart/form-data; boundary=b'
    expect(await say(base, head(base, type, `x: ${'y'.repeat(100_000)}`))).toMatch(/^HTTP\/1.1 431 /)
    expect(await say(base, head(base, type, ...Array.from({ length: 5000 }, (_, n) => `x${n}: y`)))).toMatch(
      /^HTTP\/1.1 431 /
    )
    for (const lines of [
      ['content-length: 5', 'content-length: 6'],
      ['content-length: 5', 'transfer-encoding: chunked'],
      ['content-length: -1'],
      ['transfer-encoding: gzip'],
      ['x: a\0b'],
      ['x : y']
    ])
      expect([lines, await say(base, head(base, type, ...lines), 'abcdef')]).toEqual([
        lines,
        expect.stringMatching(/^HTTP\/1.1 400 /)
      ])
    await expectNothingLeft(base)
  })

  test('of strangers get no attention, however slowly they send', async () => {
    const base = await startTestDaemon()
    const stranger = head(base, 'content-type: multipart/form-data; boundary=b', 'content-length: 1000000').replace(
      base.ready.admin.token,
      'guess'
    )
    expect(await say(base, stranger, '--b')).toMatch(/^HTTP\/1.1 401 /)
  })
})

test('a picture that would unfold to gigabytes is stored nowhere, one within the limit gets no preview but stays whole', async () => {
  const base = await startTestDaemon()
  const bomb = blankPng(30_000, 30_000)
  expect(bomb.length).toBeLessThan(1_000_000)
  for (const upload of Object.values(uploadWays))
    expect(await upload(base, bomb, 'a.jpg')).toMatchObject({ refused: [422, 'too_many_pixels'] })
  await expectNothingLeft(base)
  const large = await uploadWays.form(base, blankPng(20_000, 20_000), 'a.png')
  await base.daemon.idle()
  if (!('asset' in large)) throw new Error('it is refused')
  const [asset] = (await base.api.call(listAssets, {})).items
  expect(asset).toMatchObject({ id: large.asset.id, preview: 'unavailable', damage: null })
})
