import { expect, it } from 'vitest'
import { z } from 'zod'
import { authorization, type ContractDriver, eventually, ok, refusal, send } from './driver.ts'

/** C55, C56, C60 to C64 and C70: who may, what there is to see, and what a server forgets. */
export function serverCases(contract: ContractDriver): void {
  const info = async (headers: Record<string, string>) => send(`${contract.target.urls.api}/v3/info`, { headers })

  it('C55 asks for credentials where none were sent', async () => {
    const reply = await info({})
    expect(reply).toMatchObject(refusal('authentication error', 401))
    expect(reply.headers.get('www-authenticate')).toBe('Basic realm="mediamtx"')
  })

  it('C56 refuses wrong credentials without asking for others', async () => {
    const reply = await info({ authorization: `Basic ${Buffer.from('contract:wrong').toString('base64')}` })
    expect(reply).toMatchObject(refusal('authentication error', 401))
    expect(reply.headers.has('www-authenticate')).toBe(false)
  })

  it('C60 has no playlist of a path nobody sends to', async () => {
    await contract.addAndWait()
    expect(await contract.hls('index.m3u8?cookieCheck=1')).toMatchObject(
      refusal(`no stream is available on path '${contract.name}'`, 404)
    )
  })

  it('C61 has no playlist of a path without settings', async () => {
    expect(await contract.hls('index.m3u8?cookieCheck=1')).toMatchObject(
      refusal(`path '${contract.name}' is not configured`, 500)
    )
  })

  it('C62 does not answer HEAD', async () => {
    await contract.addAndWait()
    expect(await contract.hls('index.m3u8', { method: 'HEAD' })).toMatchObject({ status: 404 })
  })

  it.each([
    ['http://127.0.0.1:8080', '*'],
    ['null', null]
  ])('lets a page of the origin %s read: %s', async (origin, allowed) => {
    const reply = await contract.hls('index.m3u8', { headers: { origin } })
    expect(reply.headers.get('access-control-allow-origin')).toBe(allowed)
  })

  it('C63 forgets over a restart what was written', async () => {
    await contract.addAndWait()
    await contract.target.restart()
    expect(await contract.getConfig()).toMatchObject({ status: 404 })
    expect(await contract.replace({})).toMatchObject(ok)
    await eventually(contract.getConfig).toMatchObject({ status: 200 })
  })

  it('C64 forgets what was written when its file changes, and goes on', async () => {
    const before = (await contract.api('GET', 'info')).json
    await contract.addAndWait()
    contract.target.rewriteConfigFile({ 'live/of-the-file': {} })
    await eventually(contract.getConfig).toMatchObject({ status: 404 })
    expect(await contract.api('GET', 'config/paths/get/live/of-the-file')).toMatchObject({ status: 200 })
    expect((await contract.api('GET', 'info')).json).toEqual(before)
  })

  it('C70 does not end a viewer it does not know', async () => {
    expect(await contract.api('POST', 'hlssessions/kick/8c1d3f5e-0a2b-4c6d-8e9f-a1b2c3d4e5f6')).toMatchObject(
      refusal('session not found', 404)
    )
  })
}

/** What the server asks before it lets somebody in. */
export interface AuthCall {
  action: string
  path: string
  protocol: string
  query: string
}

/** C57 to C59: how a viewer comes to a stream where each is asked about over HTTP; then how it loses it. */
export function viewerCases(contract: ContractDriver, calls: AuthCall[]): void {
  const callsForHls = () => calls.filter(({ protocol, path }) => protocol === 'hls' && path === contract.name)

  it('C57 redirects before it asks, then asks once, without its own parameter', async () => {
    await contract.publishAndWait()
    const first = await contract.hls('index.m3u8?token=t1')
    expect(first).toMatchObject({ status: 302 })
    const location = first.headers.get('location') ?? ''
    expect(new URLSearchParams(location.split('?')[1]).get('cookieCheck')).toBe('1')
    expect(callsForHls()).toEqual([])
    expect(await send(contract.target.urls.hls + location)).toMatchObject({ status: 200 })
    expect(callsForHls()).toMatchObject([{ action: 'read', path: contract.name, query: 'token=t1' }])
  })

  /** Begins to watch: gives the address of the playlist below the first one. */
  async function watch(): Promise<string> {
    const playlist = await contract.hls('index.m3u8?token=t1&cookieCheck=1')
    expect(playlist).toMatchObject({ status: 200, text: expect.stringContaining('#EXTM3U') })
    return addressesIn(playlist.text)[0] ?? ''
  }

  it('C58 gives a session with every address in the playlists, and keeps the token', async () => {
    await contract.publishAndWait()
    const child = await watch()
    const query = new URLSearchParams(child.split('?')[1])
    expect(query.get('session')).toMatch(/^[0-9a-f-]{36}$/)
    expect(query.get('token')).toBe('t1')
    const media = await contract.hls(child)
    expect(media).toMatchObject({ status: 200 })
    expect(addressesIn(media.text)[0]).toContain(`session=${query.get('session')}`)
  })

  it('C59 refuses a playlist below without a session', async () => {
    await contract.publishAndWait()
    const child = await watch()
    const reply = await contract.hls(`${child.split('?')[0]}?token=t1`, { headers: { authorization } })
    expect(reply).toMatchObject(refusal('authentication error', 401))
  })

  it('shows who watches, and ends it by its id', async () => {
    await contract.publishAndWait()
    const child = await watch()
    const { json } = await contract.api('GET', 'hlssessions/list')
    const session = z.object({ items: z.tuple([z.looseObject({ id: z.string() })]) }).parse(json).items[0]
    expect(session).toMatchObject({ path: contract.name, query: 'token=t1', isCDN: false })
    expect(await contract.getPath()).toMatchObject({ json: { readers: [{ type: 'hlsSession', id: session.id }] } })
    expect(await contract.api('POST', `hlssessions/kick/${session.id}`)).toMatchObject(ok)
    await eventually(() => contract.hls(child)).toMatchObject(refusal('authentication error', 401))
  })

  it('refuses whoever watched a stream that ended', async () => {
    await contract.publishAndWait()
    const child = await watch()
    await contract.target.unpublish(contract.name)
    await contract.isAvailable(false)
    await eventually(() => contract.hls(child)).toMatchObject(refusal('authentication error', 401))
    expect(await contract.api('GET', `hlsmuxers/get/${contract.name}`)).toMatchObject(refusal('muxer not found', 404))
  })
}

const addressesIn = (playlist: string) => playlist.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
