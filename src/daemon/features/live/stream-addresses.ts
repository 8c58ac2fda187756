import type { StreamPreview } from '../../../shared/api/sources.ts'
import { isoFromMs } from '../../clock.ts'
import { lanAddresses } from '../../lan-addresses.ts'
import type { MediaServer, ServerUrls } from '../../mediamtx/media-server.ts'
import type { Source } from './sources.repository.ts'
import type { StreamTokens } from './stream-tokens.ts'

type PushUrls = NonNullable<StreamPreview['push_urls']>

/** A player that begins now asks for a new address when it begins again: the media server looks at tokens only then. */
const PLAYER_MS = 5 * 60_000
/** What is copied into another program is used later, and each time that the program connects. */
const COPY_MS = 12 * 3_600_000
const WATCHER = 'viewer'
const SENDER = 'publisher'

/** What a caller is to be shown. */
interface ShownTo {
  /** Whether they may know what a stream is sent with. */
  showsKey: boolean
  /** When they have to prove again who they are: nothing that they are given lasts longer; null: never. */
  expiresAtMs: number | null
}

/** Where streams are watched at and sent to, as other machines reach the media server. */
export class StreamAddresses {
  readonly #server: MediaServer
  readonly #tokens: StreamTokens
  readonly #fieldHost: string

  /** `fieldHost`: what the listener for controllers listens at. */
  constructor(deps: { server: MediaServer; tokens: StreamTokens; fieldHost: string }) {
    this.#server = deps.server
    this.#tokens = deps.tokens
    this.#fieldHost = deps.fieldHost
  }

  /** What addresses begin with for a caller who reaches this machine as `host`. */
  basesFor(host: string): ServerUrls {
    return this.#server.publicUrls(isInner(host) ? this.#outwardHost(host) : host)
  }

  preview(source: Source, bases: ServerUrls, { showsKey, expiresAtMs }: ShownTo): StreamPreview {
    const { pathName: path, id } = source
    const { hls, webrtc, rtsp, rtmp, srt } = bases
    const pushUrls = this.pushUrls(source, bases, showsKey)
    const issue = (lifeMs: number) =>
      this.#server.asksUs() ? this.#tokens.issue(path, 'r', lifeMs, expiresAtMs) : null
    const [player, copy] = [issue(PLAYER_MS), issue(COPY_MS)]
    return {
      path_name: path,
      hls_url: hls && `${hls}/${path}/index.m3u8${asQuery(player?.token)}`,
      webrtc_url: webrtc && `${webrtc}/${path}/whep${asQuery(player?.token)}`,
      rtsp_url: rtsp && `${withUser(rtsp, WATCHER, copy?.token)}/${path}`,
      rtmp_url: rtmp && `${rtmp}/${path}${asQuery(copy?.token)}`,
      srt_url: srt && `${srt}?streamid=read:${path}${asFields(WATCHER, copy?.token)}`,
      push_url: pushUrls?.rtmp ?? null,
      push_urls: pushUrls,
      hls_path: `/api/v1/sources/${id}/hls/index.m3u8`,
      whep_path: `/api/v1/sources/${id}/whep`,
      expires_at: player && isoFromMs(player.expiresAtMs),
      copies_expire_at: copy && isoFromMs(copy.expiresAtMs)
    }
  }

  /** Null for a stream that is fetched. Without the key where the media server does not ask for it. */
  pushUrls({ pathName: path, publishKey }: Source, bases: ServerUrls, showsKey: boolean): PushUrls | null {
    if (publishKey === null) return null
    const { rtmp, rtsp, srt, webrtc } = bases
    const key = showsKey && this.#server.asksUs() ? publishKey : undefined
    return {
      rtmp: rtmp && `${rtmp}/${path}${asQuery(key)}`,
      rtsp: rtsp && `${withUser(rtsp, SENDER, key)}/${path}`,
      srt: srt && `${srt}?streamid=publish:${path}${asFields(SENDER, key)}&pkt_size=1316`,
      whip: webrtc && `${webrtc}/${path}/whip${asQuery(key)}`
    }
  }

  /** Somebody at this machine wants an address for other ones: the one that controllers are given, too. */
  #outwardHost(host: string): string {
    const isEverywhere = this.#fieldHost === '0.0.0.0' || this.#fieldHost === '::'
    if (!isEverywhere && !isInner(this.#fieldHost)) return this.#fieldHost
    return lanAddresses()[0] ?? host
  }
}

function isInner(host: string): boolean {
  return /^(localhost$|127\.|\[?::1)/.test(host)
}

function asQuery(token: string | undefined): string {
  return token === undefined ? '' : `?token=${token}`
}

function asFields(user: string, password: string | undefined): string {
  return password === undefined ? '' : `:${user}:${password}`
}

function withUser(base: string, user: string, password: string | undefined): string {
  return password === undefined ? base : base.replace('://', `://${user}:${password}@`)
}
