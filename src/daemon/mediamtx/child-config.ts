import { randomBytes } from 'node:crypto'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { LiveListeners } from '../config/settings/live.ts'
import { isPathName, type PathConf, pathConfSchema } from './path-conf.ts'

export interface ChildConfigOptions {
  /** With the ports that are taken; null for a protocol that is off. */
  listen: LiveListeners
  /** Loopback ports. */
  ports: { api: number; playback: number }
  /** Where the child asks whether somebody may, with its key. */
  callbackUrl: string
  /** The name that others reach this machine by, where its own addresses do not do. */
  publicHost: string | null
  hlsVariant: 'lowLatency' | 'fmp4'
  recordRoot: string
  segmentMs: number
  /** What the child carries from its first moment on. */
  paths: Record<string, PathConf>
}

const LOOPBACK = '127.0.0.1'

/** Where recordings go below an absolute folder without `%`: by path, and named after their start in seconds and microseconds. */
export function recordPathBelow(root: string): string {
  return `${root.replaceAll('\\', '/')}/%path/%s-%f`
}

/** The configuration of a MediaMTX of our own. It asks the daemon about everybody, and only this machine reaches its API. */
export function childConfig(options: ChildConfigOptions): Record<string, unknown> {
  const { listen, ports } = options
  const at = (name: keyof LiveListeners) => {
    const address = listen[name]
    return address && `${address.host.includes(':') ? `[${address.host}]` : address.host}:${address.port}`
  }
  return {
    logLevel: 'info',
    logDestinations: ['stdout'],
    logStructured: true,
    readTimeout: '10s',
    writeTimeout: '10s',
    writeQueueSize: 512,
    authMethod: 'http',
    authHTTPAddress: options.callbackUrl,
    authHTTPExclude: [],
    api: true,
    apiAddress: `127.0.0.1:${ports.api}`,
    apiAllowOrigins: [],
    metrics: false,
    pprof: false,
    playback: true,
    playbackAddress: `127.0.0.1:${ports.playback}`,
    playbackAllowOrigins: [],
    ...(listen.rtsp
      ? { rtsp: true, rtspAddress: at('rtsp'), rtspTransports: ['tcp'], rtspAuthMethods: ['basic'] }
      : { rtsp: false }),
    ...(listen.rtmp ? { rtmp: true, rtmpAddress: at('rtmp') } : { rtmp: false }),
    ...(listen.hls
      ? {
          hls: true,
          hlsAddress: at('hls'),
          hlsVariant: options.hlsVariant,
          hlsSegmentCount: 7,
          hlsSegmentDuration: '1s',
          hlsAlwaysRemux: false,
          // What a page may see, the token in the address decides.
          hlsAllowOrigins: ['*']
        }
      : { hls: false }),
    ...(listen.webrtc && listen.webrtcUdp
      ? {
          webrtc: true,
          webrtcAddress: at('webrtc'),
          webrtcLocalUDPAddress: at('webrtcUdp'),
          webrtcAllowOrigins: ['*'],
          // A laptop in the field may have no other address that works.
          webrtcAdditionalHosts: [LOOPBACK, ...(options.publicHost === null ? [] : [options.publicHost])]
        }
      : { webrtc: false }),
    ...(listen.srt ? { srt: true, srtAddress: at('srt') } : { srt: false }),
    // On by default, and its certificate would be written into the working directory.
    moq: false,
    pathDefaults: {
      source: 'publisher',
      overridePublisher: true,
      rtspTransport: 'tcp',
      record: false,
      recordPath: recordPathBelow(options.recordRoot),
      recordFormat: 'fmp4',
      recordPartDuration: '1s',
      recordSegmentDuration: `${Math.ceil(options.segmentMs / 1000)}s`,
      // The daemon alone deletes recordings.
      recordDeleteAfter: '0s'
    },
    // Never `all_others`: what is not named here is refused.
    paths: Object.fromEntries(
      Object.entries(options.paths)
        .filter(([name]) => isPathName(name))
        .map(([name, conf]) => [name, pathConfSchema.parse(conf)])
    )
  }
}

const FILE_NAME = /^mediamtx-[0-9a-f]{16}\.json$/

/**
 * Writes a configuration to a new file in `dir`, for this user only, and removes the former ones; gives its path. A file
 * that a child has read stays as it is: a change of it would end all paths that were added since.
 */
export async function writeChildConfig(dir: string, config: Record<string, unknown>): Promise<string> {
  await mkdir(dir, { recursive: true, mode: 0o700 })
  await removeChildConfigs(dir)
  const path = join(dir, `mediamtx-${randomBytes(8).toString('hex')}.json`)
  await writeFile(path, JSON.stringify(config), { mode: 0o600, flag: 'wx' })
  return path
}

/** They hold the credentials of a child that has ended, and the passwords of cameras. */
export async function removeChildConfigs(dir: string): Promise<void> {
  const names = await readdir(dir)
  await Promise.all(names.filter((name) => FILE_NAME.test(name)).map((name) => rm(join(dir, name), { force: true })))
}
