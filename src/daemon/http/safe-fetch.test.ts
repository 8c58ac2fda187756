import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, type LookupFunction } from 'node:net'
import { text } from 'node:stream/consumers'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { selfSigned } from '../testing/self-signed.ts'
import { type FetchRules, fetchSafely } from './safe-fetch.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

/** What plays a public address here, and what plays one that must never be connected to. */
const PUBLIC = '127.0.0.1'
const PRIVATE = '127.0.0.2'

/** A server at the address that counts as public, and a name service that answers as told. */
async function startOrigin(answer: Answer) {
  const requests: IncomingMessage[] = []
  const server = createServer((request, response) => {
    requests.push(request)
    answer(request, response)
  })
  const port = await listening(server)
  const asked: string[] = []
  const names: Record<string, string[][]> = { 'origin.example': [[PUBLIC]] }
  const rules: FetchRules = {
    ports: [port],
    domains: [],
    maxRedirects: 3,
    isAllowedAddress: (address) => address === PUBLIC,
    lookup: fakeNames(names, asked),
    connectTimeoutMs: 5000,
    answerTimeoutMs: 5000
  }
  return {
    port,
    url: (path: string) => `http://origin.example:${port}${path}`,
    requests,
    /** Answers of the name service, one for each question; the last stays. */
    names,
    asked,
    rules,
    get: (url: string, changes: Partial<FetchRules> = {}, conditions: Record<string, Record<string, string>> = {}) =>
      get(url.replace(':PORT', `:${port}`), { ...rules, ...changes }, conditions)
  }
}

async function get(url: string, rules: FetchRules, conditions: Record<string, Record<string, string>> = {}) {
  const { answer, ...fetched } = await fetchSafely(new URL(url), {
    rules,
    headers: { 'user-agent': 'test' },
    conditions: ({ pathname }) => conditions[pathname] ?? {},
    signal: AbortSignal.timeout(20_000)
  })
  return { url: fetched.url.href, status: answer.statusCode, body: await text(answer) }
}

async function listening(server: ReturnType<typeof createTcpServer>): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, PUBLIC, resolve))
  onTestFinished(() => {
    if ('closeAllConnections' in server && typeof server.closeAllConnections === 'function')
      server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

function fakeNames(names: Record<string, string[][]>, asked: string[]): LookupFunction {
  return (host, _, callback) => {
    asked.push(host)
    const answers = names[host]
    if (!answers) return callback(Object.assign(new Error(`no such name ${host}`), { code: 'ENOTFOUND' }), '', 0)
    const addresses = answers.length > 1 ? answers.shift()! : answers[0]!
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
    )
  }
}

const hello: Answer = (_, response) => void response.end('hello')
const redirect =
  (to: string): Answer =>
  (request, response) =>
    request.url === '/' ? void response.writeHead(302, { location: to }).end() : void response.end('arrived')
const final = (problem: string) => ({ problem, isFinal: true })
const passing = (problem: string) => ({ problem, isFinal: false })

test('a file is asked for without telling who asks', async () => {
  const origin = await startOrigin((_, response) => void response.writeHead(200, { 'set-cookie': 'a=b' }).end('hello'))
  expect(await origin.get('http://origin.example:PORT/a')).toMatchObject({ status: 200, body: 'hello' })
  await origin.get('http://origin.example:PORT/b')
  for (const { headers, method } of origin.requests) {
    expect(method).toBe('GET')
    expect(headers).toEqual({
      host: `origin.example:${origin.port}`,
      connection: 'close',
      'accept-encoding': 'identity',
      'user-agent': 'test'
    })
  }
})

describe('the address', () => {
  test.each([
    'http://127.0.0.2:PORT/',
    'http://2130706434:PORT/',
    'http://0x7f000002:PORT/',
    'http://0177.0.0.2:PORT/',
    'http://127.2:PORT/',
    'http://１２７.0.0.2:PORT/',
    'http://[::1]:PORT/',
    'http://[::ffff:127.0.0.2]:PORT/',
    'http://[::ffff:7f00:2]:PORT/',
    'http://[::7f00:2]:PORT/',
    'http://[64:ff9b::7f00:2]:PORT/',
    'http://[2002:7f00:2::]:PORT/',
    'http://169.254.169.254:PORT/latest/meta-data'
  ])('%s is not asked, however it is spelled', async (url) => {
    const origin = await startOrigin(hello)
    await expect(origin.get(url)).rejects.toMatchObject(final('address_not_allowed'))
    expect([origin.requests, origin.asked]).toEqual([[], []])
  })

  test('is judged by what the name leads to: one private address among others is enough', async () => {
    const origin = await startOrigin(hello)
    origin.names['mixed.example'] = [[PUBLIC, PRIVATE]]
    origin.names['six.example'] = [['::ffff:127.0.0.2']]
    for (const name of ['mixed.example', 'six.example'])
      await expect(origin.get(`http://${name}:PORT/`)).rejects.toMatchObject(final('address_not_allowed'))
    expect(origin.requests).toEqual([])
  })

  test('of a name that changes is the one that was judged', async () => {
    const origin = await startOrigin(hello)
    origin.names['rebound.example'] = [[PUBLIC], [PRIVATE]]
    expect(await origin.get('http://rebound.example:PORT/')).toMatchObject({ body: 'hello' })
    expect(origin.asked).toEqual(['rebound.example'])
    await expect(origin.get('http://rebound.example:PORT/')).rejects.toMatchObject(final('address_not_allowed'))
    expect(origin.requests).toHaveLength(1)
  })

  test('must be http, at a port of the rules, without a password', async () => {
    const origin = await startOrigin(hello)
    for (const url of [
      'ftp://origin.example:PORT/',
      'file:///etc/passwd',
      'http://origin.example/',
      'https://origin.example/',
      'http://ann:secret@origin.example:PORT/'
    ])
      await expect(origin.get(url)).rejects.toMatchObject(final('url_not_allowed'))
  })

  test('must be of an allowed domain, where some are named', async () => {
    const origin = await startOrigin(hello)
    origin.names['img.origin.example'] = origin.names['img.origin.example.'] = [[PUBLIC]]
    const rules = { domains: ['*.origin.example'] }
    for (const host of ['img.origin.example', 'img.origin.example.', 'IMG.Origin.Example'])
      expect(await origin.get(`http://${host}:PORT/`, rules)).toMatchObject({ body: 'hello' })
    for (const host of ['origin.example', 'notorigin.example', 'img.origin.example.evil.example'])
      await expect(origin.get(`http://${host}:PORT/`, rules)).rejects.toMatchObject(final('domain_not_allowed'))
  })

  test('that no name service knows may be known later', async () => {
    const origin = await startOrigin(hello)
    await expect(origin.get('http://nowhere.example:PORT/')).rejects.toMatchObject(passing('origin_unreachable'))
  })
})

describe('a redirect', () => {
  test('is followed, and tells where it led', async () => {
    const origin = await startOrigin(redirect('/next#part'))
    expect(await origin.get('http://origin.example:PORT/')).toEqual({
      url: `http://origin.example:${origin.port}/next`,
      status: 200,
      body: 'arrived'
    })
  })

  test.each([
    ['http://127.0.0.2:PORT/x', 'address_not_allowed'],
    ['http://[::ffff:127.0.0.2]:PORT/x', 'address_not_allowed'],
    ['http://private.example:PORT/x', 'address_not_allowed'],
    ['http://origin.example:1/x', 'url_not_allowed'],
    ['http://ann:secret@origin.example:PORT/x', 'url_not_allowed'],
    ['file:///etc/passwd', 'url_not_allowed'],
    ['http://[', 'answer_not_usable'],
    ['/', 'too_many_redirects']
  ])('to %s is not', async (to, problem) => {
    let target = to
    const origin = await startOrigin((request, response) => redirect(target)(request, response))
    target = to.replace(':PORT', `:${origin.port}`)
    origin.names['private.example'] = [[PRIVATE]]
    await expect(origin.get('http://origin.example:PORT/')).rejects.toMatchObject(final(problem))
    expect(origin.requests.map(({ url }) => url)).not.toContain('/x')
  })

  test('by a name that leads elsewhere by then is not', async () => {
    const origin = await startOrigin(redirect('/x'))
    origin.names['rebound.example'] = [[PUBLIC], [PRIVATE]]
    await expect(origin.get('http://rebound.example:PORT/')).rejects.toMatchObject(final('address_not_allowed'))
    expect(origin.requests).toHaveLength(1)
  })

  test('takes conditions only to the address that they are for', async () => {
    const origin = await startOrigin((request, response) => {
      if (request.url === '/') redirect('/next')(request, response)
      else response.writeHead(request.headers['if-none-match'] ? 304 : 200).end()
    })
    const conditions = { '/next': { 'if-none-match': '"v1"' } }
    expect(await origin.get('http://origin.example:PORT/', {}, conditions)).toMatchObject({ status: 304 })
    expect(origin.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, '"v1"'])
  })
})

describe('over https', () => {
  async function startSecure(answer: Answer) {
    const pair = selfSigned('origin.example')
    const server = createSecureServer(pair, answer)
    const port = await listening(server)
    const { rules } = await startOrigin(hello)
    return { pair, url: `https://origin.example:${port}/`, rules: { ...rules, ports: [port, ...rules.ports] } }
  }

  /** Until the test ends. */
  function trust(cert: string): void {
    const before = getCACertificates('default')
    onTestFinished(() => setDefaultCACertificates(before))
    setDefaultCACertificates([...before, cert])
  }

  test('the origin proves who it is', async () => {
    const { pair, url, rules } = await startSecure(hello)
    await expect(get(url, rules)).rejects.toMatchObject(passing('origin_unreachable'))
    trust(pair.cert)
    expect(await get(url, rules)).toMatchObject({ status: 200, body: 'hello' })
    const lookup = fakeNames({ 'other.example': [[PUBLIC]] }, [])
    await expect(get(url.replace('origin', 'other'), { ...rules, lookup })).rejects.toMatchObject(
      passing('origin_unreachable')
    )
  })

  test('it leads nowhere that is not secure', async () => {
    const plain = await startOrigin(hello)
    const { pair, url, rules } = await startSecure(redirect(plain.url('/x')))
    trust(pair.cert)
    await expect(get(url, { ...rules, ports: [...rules.ports, plain.port] })).rejects.toMatchObject(
      final('url_not_allowed')
    )
    expect(plain.requests).toEqual([])
  })
})

describe('the answer', () => {
  test.each([
    [404, final('origin_refused')],
    [403, final('origin_refused')],
    [206, final('origin_refused')],
    [304, final('origin_refused')],
    [300, final('origin_refused')],
    [429, passing('origin_failed')],
    [500, passing('origin_failed')],
    [503, passing('origin_failed')]
  ])('%s is none', async (status, failure) => {
    const origin = await startOrigin((_, response) => void response.writeHead(status).end())
    await expect(origin.get('http://origin.example:PORT/')).rejects.toMatchObject(failure)
  })

  test('must not be compressed: what it becomes has no limit', async () => {
    const origin = await startOrigin(
      (_, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end()
    )
    await expect(origin.get('http://origin.example:PORT/')).rejects.toMatchObject(final('answer_not_usable'))
  })

  test('must not have endless headers', async () => {
    const origin = await startOrigin((_, response) => void response.writeHead(200, { x: 'x'.repeat(40_000) }).end())
    await expect(origin.get('http://origin.example:PORT/')).rejects.toMatchObject(final('answer_not_usable'))
  })

  test.each(['SSH-2.0-OpenSSH_9\r\n', 'HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n'])(
    '%j is none',
    async (line) => {
      const server = createTcpServer((socket) => void socket.on('error', () => {}).write(line))
      const port = await listening(server)
      const lookup = fakeNames({ 'origin.example': [[PUBLIC]] }, [])
      const { rules } = await startOrigin(hello)
      await expect(get(`http://origin.example:${port}/`, { ...rules, lookup, ports: [port] })).rejects.toMatchObject(
        final('answer_not_usable')
      )
    }
  )

  test('must begin in time, though the connection stands', async () => {
    const origin = await startOrigin(() => {})
    await expect(origin.get('http://origin.example:PORT/', { answerTimeoutMs: 50 })).rejects.toMatchObject(
      passing('origin_timeout')
    )
    expect(origin.requests).toHaveLength(1)
  })

  test('must have a connection in time', async () => {
    const { rules, port } = await startOrigin(hello)
    const never: LookupFunction = () => {}
    await expect(
      get(`http://origin.example:${port}/`, { ...rules, lookup: never, connectTimeoutMs: 50 })
    ).rejects.toMatchObject(passing('origin_timeout'))
  })
})
