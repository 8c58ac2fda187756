import { setTimeout as sleep } from 'node:timers/promises'
import { messageOf } from '../../errors.ts'
import type { JsonObject } from './fields.ts'
import { parseDuration } from './go-values.ts'
import type { Exchange } from './listener.ts'
import { objectsOf, textOf, textsOf } from './path-conf.ts'
import { Refusal } from './refusal.ts'

/** Who wants to do what; all texts empty where they are not known. */
export interface AccessRequest {
  action: 'publish' | 'read' | 'playback' | 'api'
  path: string
  protocol: '' | 'rtsp' | 'rtmp' | 'hls' | 'webrtc' | 'srt' | 'moq'
  query: string
  ip: string
  id: string | null
  user: string
  password: string
  token: string
  userAgent: string
}

/** Decides as the server does: by its own list of users, or by asking over HTTP. */
export class Authenticator {
  #settings: () => JsonObject
  #log: (level: 'INF' | 'ERR', message: string) => void
  /** How long a refusal that carried credentials is held back; up to 4 s in the real server. */
  #refusalDelayMs: number

  constructor(
    settings: () => JsonObject,
    log: (level: 'INF' | 'ERR', message: string) => void,
    refusalDelayMs: number
  ) {
    this.#settings = settings
    this.#log = log
    this.#refusalDelayMs = refusalDelayMs
  }

  /** Resolves where it is allowed; rejects with a 401 that asks for credentials where none were sent. */
  async check(request: AccessRequest): Promise<void> {
    const token = tokenOf(request)
    const reason = await this.#refusalOf(request, token)
    if (reason === null) return
    if (request.user === '' && request.password === '' && token === '') {
      throw new Refusal(401, 'authentication error', { 'www-authenticate': 'Basic realm="mediamtx"' })
    }
    this.#log('INF', `failed to authenticate: ${reason}`)
    await sleep(this.#refusalDelayMs)
    throw new Refusal(401, 'authentication error')
  }

  async #refusalOf(request: AccessRequest, token: string): Promise<string | null> {
    const settings = this.#settings()
    if (settings.authMethod === 'http') return await askOverHttp(settings, request, token)
    const users = settings.authMethod === 'internal' ? objectsOf(settings, 'authInternalUsers') : []
    return users.some((user) => isUser(user, request)) ? null : 'authentication failed'
  }
}

function isUser(user: JsonObject, request: AccessRequest): boolean {
  const ips = textsOf(user, 'ips')
  const isFromThere = ips.length === 0 || ips.some((range) => range.replace(/\/(32|128)$/, '') === request.ip)
  if (!isFromThere || !isPermitted(objectsOf(user, 'permissions'), request)) return false
  return user.user === 'any' || (user.user === request.user && user.pass === request.password)
}

function isPermitted(permissions: JsonObject[], { action, path }: AccessRequest): boolean {
  return permissions.some((permission) => {
    if (permission.action !== action) return false
    const wanted = textOf(permission, 'path')
    if (wanted === '' || action === 'api') return true
    return wanted.startsWith('~') ? new RegExp(wanted.slice(1)).test(path) : wanted === path
  })
}

async function askOverHttp(settings: JsonObject, request: AccessRequest, token: string): Promise<string | null> {
  if (isPermitted(objectsOf(settings, 'authHTTPExclude'), request)) return null
  try {
    const response = await fetch(textOf(settings, 'authHTTPAddress'), {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ ...request, token }),
      signal: AbortSignal.timeout(parseDuration(textOf(settings, 'readTimeout')) / 1e6)
    })
    const body = await response.text()
    if (response.ok) return null
    return `server replied with code ${response.status}${body === '' ? '' : `: ${body}`}`
  } catch (error) {
    return `HTTP request failed: ${messageOf(error)}`
  }
}

/** The token of a request; only RTSP and RTMP may carry it in the query. */
function tokenOf({ token, password, protocol, query }: AccessRequest): string {
  if (token !== '' || password !== '') return token || password
  if (protocol !== 'rtsp' && protocol !== 'rtmp') return ''
  const values = new URLSearchParams(query)
  return values.get('token') ?? values.get('jwt') ?? ''
}

/** What an HTTP request tells about who sends it. */
export function accessOf(
  exchange: Exchange,
  action: AccessRequest['action'],
  path: string
): AccessRequest & { userAgent: string } {
  return {
    action,
    path,
    protocol: '',
    query: exchange.rawQuery,
    ip: exchange.remoteIp,
    id: null,
    userAgent: '',
    ...credentialsOf(exchange.headers.authorization ?? '')
  }
}

function credentialsOf(header: string): { user: string; password: string; token: string } {
  if (header.startsWith('Bearer ')) {
    const parts = header.slice('Bearer '.length).split(':')
    if (parts.length === 2) return { user: parts[0]!, password: parts[1]!, token: '' }
    return { user: '', password: '', token: header.slice('Bearer '.length) }
  }
  if (!/^basic /i.test(header)) return { user: '', password: '', token: '' }
  const [, user = '', password = ''] =
    /^([^:]*):(.*)$/s.exec(Buffer.from(header.slice('Basic '.length), 'base64').toString()) ?? []
  return { user, password, token: '' }
}
