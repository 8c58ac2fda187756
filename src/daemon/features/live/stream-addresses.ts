import { networkInterfaces } from 'node:os'
import type { StreamPreview } from '../../../shared/api/sources.ts'
import { isoFromMs } from '../../clock.ts'
import type { MediaServer, ServerUrls } from '../../mediamtx/media-server.ts'
import type { Source } from './sources.repository.ts'
import type { StreamTokens } from './stream-tokens.ts'

type PushUrls = NonNullable<StreamPreview['push_urls']>

/** Sessions are checked when they begin; what is copied into another program is used later. */
const VIEW_MS = 12 * 3_600_000
const WATCHER = 'viewer'
const SENDER = 'publisher'

/** Where streams are watched at and sent to, as other machines reach the media server. */
export class StreamAddresses {
  readonly #server: MediaServer
  readonly #tokens: StreamTokens

  constructor(deps: { server: MediaServer; tokens: StreamTokens }) {
    this.#server = deps.server
    this.#tokens = deps.tokens
  }

  /** What addresses begin with for a caller who reaches this machine as `host`. */
  basesFor(host: string): ServerUrls {
    return this.#server.publicUrls(outwardHost(host))
  }

  /** `showsKey`: whether the caller may know what the stream is sent with. */
  preview(source: Source, bases: ServerUrls, showsKey: boolean): StreamPreview {
    const { pathName: path, id } = source
    const { hls, webrtc, rtsp, rtmp, srt } = bases
    const pushUrls = this.pushUrls(source, bases, showsKey)
    const { token, expiresAtMs } = this.#tokens.issue(path, 'r', VIEW_MS)
    return {
      path_name: path,
      hls_url: hls && `${hls}/${path}/index.m3u8?token=${token}`,
      webrtc_url: webrtc && `${webrtc}/${path}/whep?token=${token}`,
      rtsp_url: rtsp && `${withUser(rtsp, WATCHER, token)}/${path}`,
      rtmp_url: rtmp && `${rtmp}/${path}?token=${token}`,
      srt_url: srt && `${srt}?streamid=read:${path}:${WATCHER}:${token}`,
      push_url: pushUrls?.rtmp ?? null,
      push_urls: pushUrls,
      hls_path: `/api/v1/sources/${id}/hls/index.m3u8`,
      whep_path: `/api/v1/sources/${id}/whep`,
      expires_at: isoFromMs(expiresAtMs)
    }
  }

  /** Null for a stream that is fetched. */
  pushUrls({ pathName: path, publishKey: key }: Source, bases: ServerUrls, showsKey: boolean): PushUrls | null {
    if (key === null) return null
    const { rtmp, rtsp, srt, webrtc } = bases
    const query = showsKey ? `?token=${key}` : ''
    return {
      rtmp: rtmp && `${rtmp}/${path}${query}`,
      rtsp: rtsp && `${showsKey ? withUser(rtsp, SENDER, key) : rtsp}/${path}`,
      srt: srt && `${srt}?streamid=publish:${path}${showsKey ? `:${SENDER}:${key}` : ''}&pkt_size=1316`,
      whip: webrtc && `${webrtc}/${path}/whip${query}`
    }
  }
}

/** Somebody at this machine wants an address for other ones. */
function outwardHost(host: string): string {
  if (!/^(localhost|127\.|\[?::1)/.test(host)) return host
  const outer = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .find(({ family, internal }) => family === 'IPv4' && !internal)
  return outer?.address ?? host
}

function withUser(base: string, user: string, password: string): string {
  return base.replace('://', `://${user}:${password}@`)
}
