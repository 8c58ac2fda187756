import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { expect, test } from 'vitest'
import { disableSource } from '../../../shared/api/sources.ts'
import { createToken } from '../../../shared/api/system.ts'
import { startLiveBase } from '../../testing/live-base.ts'
import type { TestDaemon } from '../../testing/test-daemon.ts'

test('HLS goes through the base: with its session only, and the media server sees no token', async () => {
  const base = await startLiveBase()
  const source = await base.add()
  const path = `/api/v1/sources/${source.id}/hls/index.m3u8`
  expect((await fetch(base.ready.admin.url + path)).status).toBe(401)
  const idle = await base.fetch(path)
  expect([idle.status, await idle.json()]).toMatchObject([404, { code: 'stream_not_available' }])

  await base.send(source)
  const answer = await base.fetch(path)
  expect(answer.status).toBe(200)
  expect(answer.headers.get('content-type')).toContain('mpegurl')
  const playlist = await answer.text()
  const child = playlist.split('\n').find((line) => line !== '' && !line.startsWith('#'))
  expect(child).toMatch(/^[\w.-]+\.m3u8\?session=/)
  const media = await base.fetch(`/api/v1/sources/${source.id}/hls/${child}`)
  expect([media.status, await media.text()]).toEqual([200, expect.stringContaining('#EXTINF')])
  expect(base.mediamtx.journal.filter(({ path: asked }) => asked.includes('token='))).toEqual([])
})

test('nothing goes through of a source that is switched off, of another file name, or of another workspace', async () => {
  const base = await startLiveBase()
  const source = await base.add()
  await base.send(source)
  for (const file of ['..%2f..%2fv3%2finfo', 'a%20b', '%2e%2e', '..', '.'])
    expect([file, await statusOfRaw(base, `/api/v1/sources/${source.id}/hls/${file}`)]).toEqual([file, 400])
  const { secret } = await base.api.call(createToken, {
    body: { name: 'other', role: 'viewer', workspaceIds: ['other'] }
  })
  const foreign = await fetch(`${base.ready.admin.url}/api/v1/sources/${source.id}/hls/index.m3u8`, {
    headers: { authorization: `Bearer ${secret}` }
  })
  expect([foreign.status, await foreign.json()]).toMatchObject([404, { code: 'source_not_found' }])
  await base.api.call(disableSource, { params: { sourceId: source.id } })
  const off = await base.fetch(`/api/v1/sources/${source.id}/hls/index.m3u8`)
  expect([off.status, await off.json()]).toMatchObject([409, { code: 'source_disabled' }])
})

/** The path as it is: `fetch` folds dots away. */
async function statusOfRaw({ ready }: TestDaemon, path: string): Promise<number | undefined> {
  const asking = request(ready.admin.url, { path, headers: { authorization: `Bearer ${ready.admin.token}` } }).end()
  const [answer] = (await once(asking, 'response')) as [IncomingMessage]
  answer.resume()
  return answer.statusCode
}
