import { isIP } from 'node:net'
import type { ListenAddress } from '../config/settings/listeners.ts'
import { type LiveListeners, liveListeners, liveSettings } from '../config/settings/live.ts'
import type { ServerProblem, ServerUrls } from './media-server.ts'
import { type PortOutcome, reservePorts } from './reserve-ports.ts'

type Name = keyof LiveListeners
const loopback = ['api', 'playback'] as const
type LoopbackPorts = Record<(typeof loopback)[number], number>

const LABELS: Record<Name, string> = {
  rtmp: 'RTMP',
  rtsp: 'RTSP',
  hls: 'HLS',
  webrtc: 'WebRTC',
  webrtcUdp: 'WebRTC (UDP)',
  srt: 'SRT'
}
const SETTINGS = {
  rtmp: liveSettings.liveRtmp,
  rtsp: liveSettings.liveRtsp,
  hls: liveSettings.liveHls,
  webrtc: liveSettings.liveWebrtc,
  webrtcUdp: liveSettings.liveWebrtcUdp,
  srt: liveSettings.liveSrt
} satisfies Record<Name, unknown>
const UDP: readonly Name[] = ['webrtcUdp', 'srt']

/** Where a media server of our own listens. A port that cannot be had costs its protocol, not the server. */
export class Listeners {
  readonly #wanted: LiveListeners
  #actual: LiveListeners
  #refused: { name: Name; address: ListenAddress; error: string }[] = []
  constructor(wanted: LiveListeners) {
    this.#wanted = wanted
    // Addresses that do not depend on chance are known while no server runs.
    this.#actual = mapListeners((name) => (wanted[name]?.port === 0 ? null : wanted[name]))
  }

  /**
   * Looks which ports can be had now. A port that was any free one stays the same as long as that is possible: senders
   * were told it.
   */
  async reserve(): Promise<{ listen: LiveListeners; ports: LoopbackPorts }> {
    const wishes = liveListeners.flatMap((name) => {
      const address = this.#wanted[name]
      return address ? [{ name, address }] : []
    })
    const outcomes = await reservePorts([
      ...loopback.map(() => ({ host: '127.0.0.1', port: 0, transport: 'tcp' as const })),
      ...wishes.map(({ name, address }) => ({
        ...address,
        preferred: this.#actual[name]?.port ?? 0,
        transport: UDP.includes(name) ? ('udp' as const) : ('tcp' as const)
      }))
    ])
    const [api, playback] = outcomes.splice(0, loopback.length).map(portOf)
    this.#refused = []
    const had: Partial<LiveListeners> = {}
    for (const [index, { name, address }] of wishes.entries()) {
      const outcome = outcomes[index]!
      if ('port' in outcome) had[name] = { host: address.host, port: outcome.port }
      else this.#refused.push({ name, address, error: outcome.error })
    }
    // Each half of WebRTC is nothing without the other.
    if (!had.webrtc || !had.webrtcUdp) had.webrtc = had.webrtcUdp = null
    this.#actual = mapListeners((name) => had[name] ?? null)
    return { listen: this.#actual, ports: { api: api!, playback: playback! } }
  }

  /** What could not be had at the last look; null: nothing. */
  problem(): ServerProblem | null {
    if (this.#refused.length === 0) return null
    const parts = this.#refused.map(({ name, address, error }) => {
      const reason = error === 'EADDRINUSE' ? 'another program has it' : error
      return `${LABELS[name]} is off: ${address.host}:${address.port} cannot be had (${reason}).`
    })
    const settings = this.#refused.map(({ name }) => SETTINGS[name].env).join(', ')
    const remedy = `End the other program or set another address (${settings}), then start Flightcase again.`
    return { code: 'port_taken', message: parts.join(' '), remedy }
  }

  /** As this machine reaches them. */
  ownUrls(): Omit<ServerUrls, 'playback'> {
    return this.#urls((host) => (isEverywhere(host) ? '127.0.0.1' : host))
  }

  /** As others do who know this machine as `host`: one that listens at a single address of the network is reached by that alone. */
  urls(host: string): Omit<ServerUrls, 'playback'> {
    return this.#urls((bound) => (isEverywhere(bound) || isLoopback(bound) ? host : bound))
  }

  /** By a name that leads here, whatever they listen at. */
  namedUrls(name: string): Omit<ServerUrls, 'playback'> {
    return this.#urls(() => name)
  }

  #urls(hostOf: (bound: string) => string): Omit<ServerUrls, 'playback'> {
    const at = (name: Name, scheme: string) => {
      const address = this.#actual[name]
      return address && `${scheme}://${bracketed(hostOf(address.host))}:${address.port}`
    }
    return {
      hls: at('hls', 'http'),
      webrtc: at('webrtc', 'http'),
      rtsp: at('rtsp', 'rtsp'),
      rtmp: at('rtmp', 'rtmp'),
      srt: at('srt', 'srt')
    }
  }
}

function mapListeners(address: (name: Name) => ListenAddress | null): LiveListeners {
  return {
    rtmp: address('rtmp'),
    rtsp: address('rtsp'),
    hls: address('hls'),
    webrtc: address('webrtc'),
    webrtcUdp: address('webrtcUdp'),
    srt: address('srt')
  }
}

function portOf(outcome: PortOutcome): number {
  if ('port' in outcome) return outcome.port
  throw new Error(`no port of this machine can be had: ${outcome.error}`)
}

function isEverywhere(host: string): boolean {
  return host === '0.0.0.0' || host === '::'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}

function bracketed(host: string): string {
  return isIP(host) === 6 ? `[${host}]` : host
}
