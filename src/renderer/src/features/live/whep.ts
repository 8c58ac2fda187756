import { refusalOf } from '../../../../shared/api-client.ts'
import type { OpenedWay } from './stream-player.ts'

const answerTimeoutMs = 10_000
/** A connection that is `disconnected` often comes back by itself. */
const disconnectedMs = 3000

/**
 * Shows a stream by WebRTC: sends an offer to `url` and takes its answer (WHEP, draft-ietf-wish-whep; trickled candidates as in RFC
 * 8840). Only addresses of this network are tried: there may be no Internet. Throws `ApiError` for a refusal.
 */
export async function openWhep(video: HTMLVideoElement, url: string, signal: AbortSignal): Promise<OpenedWay> {
  const peer = new RTCPeerConnection()
  const ended = Promise.withResolvers<void>()
  const waiting: RTCIceCandidate[] = []
  let session: string | null = null
  let shown: MediaStream | null = null
  let offer = ''

  const ask = (method: string, at: string, body?: string, contentType?: string) =>
    fetch(at, {
      method,
      credentials: 'same-origin',
      // The last word must reach the base although the page goes.
      keepalive: method === 'DELETE',
      ...(body === undefined ? {} : { body }),
      ...(contentType === undefined ? {} : { headers: { 'content-type': contentType } }),
      ...(method === 'DELETE' ? {} : { signal: AbortSignal.any([signal, AbortSignal.timeout(answerTimeoutMs)]) })
    })
  const trickle = (candidates: readonly RTCIceCandidate[]) => {
    if (session === null || candidates.length === 0) return
    // Not told of one way, the media server may still find another; without any the connection fails by itself.
    ask('PATCH', session, iceFragment(offer, candidates), 'application/trickle-ice-sdpfrag').catch(() => {})
  }
  const close = () => {
    window.removeEventListener('pagehide', close)
    peer.close()
    // By now another attempt may show its own.
    if (shown !== null && video.srcObject === shown) video.srcObject = null
    if (session !== null) ask('DELETE', session).catch(() => {})
    session = null
    ended.resolve()
  }

  // A page that goes ends nothing by itself: the media server would send on for a while.
  window.addEventListener('pagehide', close)
  peer.onicecandidate = ({ candidate }) => {
    if (candidate === null) return
    if (session === null) waiting.push(candidate)
    else trickle([candidate])
  }
  peer.ontrack = ({ streams: [stream] }) => {
    if (stream === undefined || signal.aborted) return
    shown = stream
    if (video.srcObject !== stream) video.srcObject = stream
  }
  let lost: ReturnType<typeof setTimeout> | undefined
  peer.onconnectionstatechange = () => {
    clearTimeout(lost)
    const { connectionState } = peer
    if (connectionState === 'failed' || connectionState === 'closed') ended.resolve()
    if (connectionState === 'disconnected') lost = setTimeout(ended.resolve, disconnectedMs)
  }

  try {
    peer.addTransceiver('video', { direction: 'recvonly' })
    peer.addTransceiver('audio', { direction: 'recvonly' })
    const description = await peer.createOffer()
    offer = description.sdp ?? ''
    await peer.setLocalDescription(description)
    const answer = await ask('POST', url, offer, 'application/sdp')
    if (!answer.ok) throw await refusalOf(answer)
    const location = answer.headers.get('location')
    session = location === null ? null : new URL(location, new URL(url, document.baseURI)).href
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() })
    signal.throwIfAborted()
  } catch (error) {
    close()
    throw error
  }
  trickle(waiting)
  return { ended: ended.promise, close, isReceiving: () => receives(peer), latencySeconds: latencyOf(peer) }
}

/** Candidates as a fragment of the offer's SDP (RFC 8840 §9), each under the part of the offer that it is for. */
export function iceFragment(
  offer: string,
  candidates: readonly Pick<RTCIceCandidate, 'candidate' | 'sdpMLineIndex'>[]
): string {
  const lines = offer.split(/\r?\n/)
  const first = (prefix: string) => lines.find((line) => line.startsWith(prefix))
  const parts = lines.filter((line) => line.startsWith('m='))
  const mids = lines.filter((line) => line.startsWith('a=mid:'))
  return [
    first('a=ice-ufrag:'),
    first('a=ice-pwd:'),
    ...parts.flatMap((part, index) => {
      const own = candidates.filter(({ sdpMLineIndex }) => (sdpMLineIndex ?? 0) === index)
      return own.length === 0 ? [] : [part, mids[index], ...own.map(({ candidate }) => `a=${candidate}`)]
    })
  ]
    .filter((line) => line !== undefined)
    .map((line) => `${line}\r\n`)
    .join('')
}

/** What the statistics hold differs by browser and kind; numbers are taken where they are. */
async function reportsOf(peer: RTCPeerConnection): Promise<Iterable<Record<string, unknown>>> {
  return (await peer.getStats()).values() as Iterable<Record<string, unknown>>
}

const isOfPicture = (report: Record<string, unknown>) => report['type'] === 'inbound-rtp' && report['kind'] === 'video'

async function receives(peer: RTCPeerConnection): Promise<boolean> {
  for (const report of await reportsOf(peer))
    if (isOfPicture(report) && Number(report['bytesReceived']) > 0) return true
  return false
}

/** How late the picture is: half the way there and back, and what it waits here; null until that is known. */
function latencyOf(peer: RTCPeerConnection): () => Promise<number | null> {
  let before = { delay: 0, frames: 0 }
  return async () => {
    let travel = 0
    let wait: number | null = null
    for (const report of await reportsOf(peer)) {
      const numberOf = (name: string) => (typeof report[name] === 'number' ? report[name] : 0)
      if (report['type'] === 'candidate-pair' && report['nominated'] === true)
        travel = numberOf('currentRoundTripTime') / 2
      if (!isOfPicture(report)) continue
      const now = { delay: numberOf('jitterBufferDelay'), frames: numberOf('jitterBufferEmittedCount') }
      if (now.frames > before.frames) wait = (now.delay - before.delay) / (now.frames - before.frames)
      before = now
    }
    return wait === null ? null : travel + wait
  }
}
