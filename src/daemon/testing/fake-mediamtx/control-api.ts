import { rmSync } from 'node:fs'
import { type Authenticator, accessOf } from './authenticator.ts'
import { type ConfigurationStore, findPathConf, pathConf, redacted, sortedNames } from './configuration.ts'
import { decodeBody } from './decode.ts'
import { type Fields, globalFields, type Json, type JsonObject, pathFields } from './fields.ts'
import { formatInstant, parseInstant } from './go-values.ts'
import type { HlsSessions } from './hls-sessions.ts'
import { type Answer, type Exchange, notFound } from './listener.ts'
import { paginate } from './paginate.ts'
import type { PathConf } from './path-conf.ts'
import type { Peer } from './peers.ts'
import { segmentPath, segmentsOrNone } from './record-path.ts'
import { orRefuse, Refusal, withPrefix } from './refusal.ts'
import { describePath, type Streams } from './streams.ts'

export interface ApiParts {
  version: string
  startedUs(): number
  store: ConfigurationStore
  authenticator: Authenticator
  streams: Streams
  sessions: HlsSessions
}

interface Call {
  parts: ApiParts
  exchange: Exchange
  /** What the route leaves open: a name or an id. */
  name: string
}

type Route = [method: string, path: string, answer: (call: Call) => Json | Promise<Json>]

const done = { status: 'ok' }

/** The control API. A route that ends in `*` takes the rest of the path as a name, one in `:id` one part as an id. */
const routes: Route[] = [
  ['GET', '/info', ({ parts }) => ({ version: parts.version, started: formatInstant(parts.startedUs()) })],
  ['POST', '/auth/jwks/refresh', () => done],
  ['GET', '/config/global/get', ({ parts }) => redacted(parts.store.applied.global)],
  ['PATCH', '/config/global/patch', (call) => write(call, globalFields, (store, values) => store.patchGlobal(values))],
  ['GET', '/config/pathdefaults/get', ({ parts }) => parts.store.applied.pathDefaults],
  ['PATCH', '/config/pathdefaults/patch', (call) => write(call, pathFields, (store, v) => store.patchPathDefaults(v))],
  ['GET', '/config/paths/list', listPathConfs],
  ['GET', '/config/paths/get/*', getPathConf],
  ['POST', '/config/paths/add/*', (call) => writePath(call, (store, values) => store.addPath(call.name, values))],
  ['PATCH', '/config/paths/patch/*', (call) => writePath(call, (store, values) => store.patchPath(call.name, values))],
  [
    'POST',
    '/config/paths/replace/*',
    (call) => writePath(call, (store, values) => store.replacePath(call.name, values))
  ],
  ['DELETE', '/config/paths/delete/*', deletePath],
  ['GET', '/paths/list', listPaths],
  ['GET', '/paths/get/*', getPath],
  ['GET', '/recordings/list', listRecordings],
  ['GET', '/recordings/get/*', getRecording],
  ['DELETE', '/recordings/deletesegment', deleteSegment],
  ['GET', '/hlsmuxers/list', ({ parts, exchange }) => paginate(itemsOf(parts.sessions.muxerItems()), exchange.query)],
  ['GET', '/hlsmuxers/get/*', ({ parts, name }) => only(parts.sessions.muxerItems(), 'path', name, 'muxer not found')],
  [
    'GET',
    '/hlssessions/list',
    ({ parts, exchange }) => paginate(itemsOf(parts.sessions.sessionItems()), exchange.query)
  ],
  ['GET', '/hlssessions/get/:id', ({ parts, name }) => getHlsSession(parts, name)],
  [
    'POST',
    '/hlssessions/kick/:id',
    ({ parts, name }) => orMissing(parts.sessions.kick(uuid(name)), 'session not found')
  ],
  ...connectionRoutes('rtmpconns', 'rtmpConn', 'connection not found'),
  ...connectionRoutes('rtmpsconns', 'rtmpsConn', 'connection not found'),
  ...connectionRoutes('rtspsessions', 'rtspSession', 'session not found'),
  ...connectionRoutes('rtspssessions', 'rtspsSession', 'session not found'),
  ...connectionRoutes('webrtcsessions', 'webRTCSession', 'session not found'),
  ...connectionRoutes('srtconns', 'srtConn', 'connection not found'),
  ...connectionRoutes('moqsessions', 'moqSession', 'session not found')
]

/** What must be on for a kind of connections to have endpoints. */
const needs: Record<string, (global: JsonObject) => boolean> = {
  hlsmuxers: ({ hls }) => hls === true,
  hlssessions: ({ hls }) => hls === true,
  rtmpconns: ({ rtmp, rtmpEncryption }) => rtmp === true && rtmpEncryption !== 'strict',
  rtmpsconns: ({ rtmp, rtmpEncryption }) => rtmp === true && rtmpEncryption !== 'no',
  rtspsessions: ({ rtsp, rtspEncryption }) => rtsp === true && rtspEncryption !== 'strict',
  rtspssessions: ({ rtsp, rtspEncryption }) => rtsp === true && rtspEncryption !== 'no',
  webrtcsessions: ({ webrtc }) => webrtc === true,
  srtconns: ({ srt }) => srt === true,
  moqsessions: ({ moq }) => moq === true
}

export async function answerApi(parts: ApiParts, exchange: Exchange): Promise<Answer> {
  await parts.authenticator.check(accessOf(exchange, 'api', ''))
  const path = exchange.path.startsWith('/v3/') ? exchange.path.slice('/v3'.length) : ''
  for (const [method, pattern, answer] of routes) {
    const name = method === exchange.method ? nameIn(path, pattern) : null
    const isOn = needs[pattern.split('/')[1]!]?.(parts.store.applied.global) ?? true
    if (name !== null && isOn) return { status: 200, body: await answer({ parts, exchange, name }) }
  }
  return notFound
}

/** What a path has where the pattern leaves it open; null where it does not match. */
function nameIn(path: string, pattern: string): string | null {
  if (pattern.endsWith('/*')) {
    const stem = pattern.slice(0, -1)
    if (!path.startsWith(stem)) return null
    const name = path.slice(stem.length)
    if (name === '') throw new Refusal(400, 'invalid name')
    return name
  }
  if (!pattern.endsWith('/:id')) return path === pattern ? '' : null
  const stem = pattern.slice(0, -':id'.length)
  const id = path.startsWith(stem) ? path.slice(stem.length) : ''
  return id === '' || id.includes('/') ? null : id
}

function write(call: Call, fields: Fields, apply: (store: ConfigurationStore, values: JsonObject) => void): Json {
  return orRefuse(400, () => {
    apply(call.parts.store, decodeBody(call.exchange.body, fields))
    return done
  })
}

const writePath = (call: Call, apply: (store: ConfigurationStore, values: JsonObject) => void) =>
  write(call, pathFields, apply)

function deletePath({ parts, name }: Call): Json {
  return orRefuse(400, () => {
    parts.store.removePath(name)
    return done
  })
}

function listPathConfs({ parts, exchange }: Call): Json {
  const { applied } = parts.store
  return paginate(
    sortedNames(applied.paths).map((name): Json => pathConf(applied, name)!),
    exchange.query
  )
}

function getPathConf({ parts, name }: Call): Json {
  const conf = pathConf(parts.store.applied, name)
  if (!conf) throw new Refusal(404, 'path configuration not found')
  return conf
}

function listPaths({ parts, exchange }: Call): Promise<Json> {
  return parts.streams.inLoop(() => {
    const paths = parts.streams.names().map((name) => describePath(parts.streams.get(name)!))
    return paginate(paths, exchange.query)
  })
}

function getPath({ parts, name }: Call): Promise<Json> {
  return parts.streams.inLoop(() => {
    const path = parts.streams.get(name)
    if (!path) throw new Refusal(404, 'path not found')
    return describePath(path)
  })
}

function listRecordings({ parts, exchange }: Call): Json {
  const { applied } = parts.store
  const all = sortedNames(applied.paths).map((name) => recordingOf(pathConf(applied, name)!, name))
  return paginate(
    all.filter(({ segments }) => segments.length > 0),
    exchange.query
  )
}

function getRecording({ parts, name }: Call): Json {
  return orRefuse(400, () => recordingOf(findPathConf(parts.store.applied, name), name))
}

const recordingOf = (conf: PathConf, name: string) => ({
  name,
  segments: segmentsOrNone(conf, name).map(({ startUs }) => ({ start: formatInstant(startUs) }))
})

function deleteSegment({ parts, exchange }: Call): Json {
  return orRefuse(400, () => {
    const start = withPrefix("invalid 'start' parameter", () => parseInstant(exchange.query.get('start') ?? ''))
    const name = exchange.query.get('path') ?? ''
    const file = segmentPath(findPathConf(parts.store.applied, name), name, start)
    try {
      rmSync(file)
    } catch {
      throw new Error(`remove ${file}: no such file or directory`)
    }
    return done
  })
}

function getHlsSession(parts: ApiParts, name: string): Json {
  return only(parts.sessions.sessionItems(), 'id', uuid(name), 'session not found')
}

const itemsOf = (entries: { item: Json }[]) => entries.map(({ item }) => item)

function only<Key extends string>(
  entries: (Record<Key, string> & { item: Json })[],
  key: Key,
  wanted: string,
  missing: string
): Json {
  const found = entries.find((entry) => entry[key] === wanted)
  if (!found) throw new Refusal(404, missing)
  return found.item
}

function orMissing(isFound: boolean, missing: string): Json {
  if (!isFound) throw new Refusal(404, missing)
  return done
}

function connectionRoutes(kind: string, type: string, missing: string): Route[] {
  const entries = (parts: ApiParts) => {
    return parts.streams.peers([type]).map((found) => ({ id: found.peer.id, item: connectionItem(found) }))
  }
  return [
    ['GET', `/${kind}/list`, ({ parts, exchange }) => paginate(itemsOf(entries(parts)), exchange.query)],
    ['GET', `/${kind}/get/:id`, ({ parts, name }) => only(entries(parts), 'id', uuid(name), missing)],
    ['POST', `/${kind}/kick/:id`, ({ parts, name }) => orMissing(parts.streams.kick([type], uuid(name)), missing)]
  ]
}

function connectionItem({ peer, path, state }: { peer: Peer; path: { name: string }; state: string }): Json {
  return {
    id: peer.id,
    created: formatInstant(peer.createdUs),
    remoteAddr: peer.remoteAddress,
    state,
    path: path.name,
    query: peer.query,
    user: peer.user,
    userAgent: '',
    inboundBytes: 0,
    outboundBytes: 0,
    bytesReceived: 0,
    bytesSent: 0
  }
}

/** An id in the form the server asks for; throws a 400 in the words of its UUID parser. */
function uuid(text: string): string {
  if (text.length !== 36) throw new Refusal(400, `invalid UUID length: ${text.length}`)
  if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) throw new Refusal(400, 'invalid UUID format')
  return text.toLowerCase()
}
