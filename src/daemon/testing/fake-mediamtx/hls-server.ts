import { type Authenticator, accessOf } from './authenticator.ts'
import { type Configuration, findPathConf } from './configuration.ts'
import type { FakeClock } from './fake-clock.ts'
import { hlsClip } from './hls-clip.ts'
import type { HlsSession, HlsSessions } from './hls-sessions.ts'
import { type Answer, type Exchange, notFound } from './listener.ts'
import { newPeer } from './peers.ts'
import { orRefuse, Refusal } from './refusal.ts'
import type { Streams } from './streams.ts'

export interface HlsParts {
  clock: FakeClock
  configuration(): Configuration
  authenticator: Authenticator
  streams: Streams
  sessions: HlsSessions
}

const SEGMENTS_SHOWN = 7
const playerPage = Buffer.from('<!DOCTYPE html><title>player</title>')

/** The HLS server: a redirect, then credentials once, then a secret in every address below. */
export async function answerHls(parts: HlsParts, exchange: Exchange): Promise<Answer> {
  if (exchange.method !== 'GET') return notFound
  const target = exchange.path.slice(1)
  if (target === '' || target === 'favicon.ico') return notFound
  const [, path = '', file = ''] = /^(.*?)\/?([^/]*)$/.exec(target) ?? []
  if (file === 'index.m3u8') return answerIndex(parts, exchange, path || '.')
  if (/\.(m3u8|ts|mp4|mp)$/.test(file)) return answerChild(parts, exchange, path, file)
  if (file !== '') return redirect(`/${target.replace(/^\/+/, '')}/`, exchange.rawQuery)
  return answerPage(parts, exchange, path)
}

const redirect = (path: string, query: string): Answer => ({
  status: 302,
  headers: { location: query === '' ? path : `${path}?${query}` }
})

async function answerPage(parts: HlsParts, exchange: Exchange, path: string): Promise<Answer> {
  await parts.streams.inLoop(async () => {
    orRefuse(500, () => findPathConf(parts.configuration(), path))
    await parts.authenticator.check({ ...accessOf(exchange, 'read', path), protocol: 'hls' })
  })
  return { status: 200, headers: { 'content-type': 'text/html', 'cache-control': 'max-age=3600' }, body: playerPage }
}

async function answerIndex(parts: HlsParts, exchange: Exchange, path: string): Promise<Answer> {
  const query = new URLSearchParams(exchange.rawQuery)
  if (query.get('cookieCheck') !== '1') {
    query.set('cookieCheck', '1')
    const answer = redirect(`/${path}/index.m3u8`, encodedQuery(query))
    const cookie = 'cookieCheck=1; HttpOnly; Secure; SameSite=None; Partitioned'
    return { ...answer, headers: { ...answer.headers, 'set-cookie': cookie } }
  }
  query.delete('cookieCheck')
  const session = await openSession(parts, exchange, path, encodedQuery(query))
  query.set('session', session.secret)
  const { codecs } = await hlsClip()
  return sent(parts, session, 'application/vnd.apple.mpegurl', [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    '#EXT-X-INDEPENDENT-SEGMENTS',
    '',
    `#EXT-X-STREAM-INF:BANDWIDTH=400000,AVERAGE-BANDWIDTH=300000,CODECS="${codecs}"`,
    `main_stream.m3u8?${encodedQuery(query)}`,
    ''
  ])
}

async function openSession(parts: HlsParts, exchange: Exchange, path: string, query: string): Promise<HlsSession> {
  const { authenticator, clock, streams, sessions } = parts
  const access = accessOf(exchange, 'read', path)
  const userAgent = exchange.headers['user-agent'] ?? ''
  const peer = newPeer('hlsSession', clock.nowUs(), {
    user: access.user,
    query,
    remoteAddress: exchange.remoteAddress
  })
  return streams.inLoop(async () => {
    orRefuse(500, () => findPathConf(parts.configuration(), path))
    await authenticator.check({ ...access, protocol: 'hls', query, id: peer.id, userAgent })
    orRefuse(500, () => streams.addReader(path, peer))
    return sessions.open(path, peer, exchange.remoteIp, userAgent)
  })
}

async function answerChild(parts: HlsParts, exchange: Exchange, path: string, file: string): Promise<Answer> {
  const session = parts.sessions.find(path, exchange.query.get('session'), exchange.remoteIp)
  if (!session) throw new Refusal(401, 'authentication error')
  const clip = await hlsClip()
  if (file === 'main_stream.m3u8') {
    const elapsedUs = parts.clock.nowUs() - parts.sessions.startOf(path)
    const lines = mediaPlaylist(Math.floor(elapsedUs / 1e6), clip.segments.length, exchange.rawQuery)
    return sent(parts, session, 'application/vnd.apple.mpegurl', lines)
  }
  const number = /^main_seg(\d+)\.mp4$/.exec(file)?.[1]
  const bytes =
    file === 'main_init.mp4' ? clip.init : clip.segments[Number(number ?? Number.NaN) % clip.segments.length]
  return bytes ? sent(parts, session, 'video/mp4', bytes) : notFound
}

/** A live playlist some seconds after its stream began; where the clip begins anew its times do too. */
function mediaPlaylist(secondsSinceStart: number, clipLength: number, query: string): string[] {
  const first = secondsSinceStart
  const shown = Array.from({ length: SEGMENTS_SHOWN }, (_, index) => first + index)
  return [
    '#EXTM3U',
    '#EXT-X-VERSION:9',
    '#EXT-X-TARGETDURATION:1',
    `#EXT-X-MEDIA-SEQUENCE:${first}`,
    `#EXT-X-DISCONTINUITY-SEQUENCE:${Math.max(0, Math.ceil(first / clipLength) - 1)}`,
    `#EXT-X-MAP:URI="main_init.mp4?${query}"`,
    ...shown.flatMap((number) => [
      ...(number > 0 && number % clipLength === 0 ? ['#EXT-X-DISCONTINUITY'] : []),
      '#EXTINF:1.00000,',
      `main_seg${number}.mp4?${query}`
    ]),
    ''
  ]
}

function sent(parts: HlsParts, session: HlsSession, contentType: string, content: Buffer | string[]): Answer {
  const body = Buffer.isBuffer(content) ? content : Buffer.from(content.join('\n'))
  parts.sessions.count(session, body.length)
  return { status: 200, headers: { 'content-type': contentType, 'cache-control': 'no-cache' }, body }
}

/** A query with its keys in order, as Go encodes it. */
function encodedQuery(query: URLSearchParams): string {
  const sorted = new URLSearchParams(query)
  sorted.sort()
  return sorted.toString()
}
