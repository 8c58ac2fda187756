import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ApiError } from '../../../../shared/api-client.ts'
import { iceFragment, openWhep } from './whep.ts'

const offer = [
  'v=0',
  'a=ice-ufrag:abcd',
  'a=ice-pwd:secret',
  'm=video 9 UDP/TLS/RTP/SAVPF 96',
  'a=mid:0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:1',
  ''
].join('\r\n')
const candidate = (text: string, sdpMLineIndex = 0) => ({ candidate: text, sdpMLineIndex }) as RTCIceCandidate

/** A browser's peer connection as far as a viewer uses it. */
class FakePeer {
  static latest: FakePeer
  onicecandidate: (event: { candidate: RTCIceCandidate | null }) => void = () => {}
  ontrack: (event: { streams: unknown[] }) => void = () => {}
  onconnectionstatechange: () => void = () => {}
  connectionState = 'new'
  answer: unknown
  stats = new Map<string, Record<string, unknown>>()
  isClosed = false
  constructor() {
    FakePeer.latest = this
  }
  addTransceiver() {}
  async createOffer() {
    return { type: 'offer', sdp: offer }
  }
  async setLocalDescription() {
    this.onicecandidate({ candidate: candidate('candidate:1 1 udp 1 192.168.1.5 5000 typ host') })
  }
  async setRemoteDescription(answer: unknown) {
    this.answer = answer
  }
  async getStats() {
    return this.stats
  }
  close() {
    this.isClosed = true
  }
}

const url = '/api/v1/sources/s/whep'
const session = `http://localhost:3000${url}/one`
let calls: { call: string; body: unknown; type: unknown }[] = []
let answers: Record<string, () => Response> = {}

beforeEach(() => {
  calls = []
  answers = {
    POST: () => new Response('v=0 answer', { status: 201, headers: { location: `${url}/one` } }),
    PATCH: () => new Response(null, { status: 204 }),
    DELETE: () => new Response(null, { status: 200 })
  }
  vi.stubGlobal('RTCPeerConnection', FakePeer)
  vi.stubGlobal('fetch', async (at: string, init: RequestInit) => {
    const type = (init.headers as Record<string, string> | undefined)?.['content-type']
    calls.push({ call: `${init.method} ${at}`, body: init.body, type })
    const answer = answers[init.method ?? '']
    if (answer === undefined) throw new Error('no answer')
    return answer()
  })
})
afterEach(() => vi.unstubAllGlobals())

const video = () => document.createElement('video')
const open = (element = video()) => openWhep(element, url, new AbortController().signal)

test('an offer is answered, candidates follow, and closing ends the session', async () => {
  const opened = await open()
  expect(calls[0]).toEqual({ call: `POST ${url}`, body: offer, type: 'application/sdp' })
  expect(FakePeer.latest.answer).toEqual({ type: 'answer', sdp: 'v=0 answer' })
  FakePeer.latest.onicecandidate({ candidate: candidate('candidate:2 1 udp 1 10.0.0.5 5001 typ host') })
  FakePeer.latest.onicecandidate({ candidate: null })
  const trickled = calls.filter(({ call }) => call === `PATCH ${session}`)
  expect(trickled.map(({ body }) => String(body).split('\r\n').at(-2))).toEqual([
    'a=candidate:1 1 udp 1 192.168.1.5 5000 typ host',
    'a=candidate:2 1 udp 1 10.0.0.5 5001 typ host'
  ])
  opened.close()
  await opened.ended
  expect(calls.at(-1)?.call).toBe(`DELETE ${session}`)
  expect(FakePeer.latest.isClosed).toBe(true)
})

test('a page that goes ends the session', async () => {
  const opened = await open()
  window.dispatchEvent(new Event('pagehide'))
  await opened.ended
  window.dispatchEvent(new Event('pagehide'))
  expect(calls.filter(({ call }) => call.startsWith('DELETE'))).toMatchObject([{ call: `DELETE ${session}` }])
})

test('it is known whether data of the picture comes', async () => {
  const opened = await open()
  expect(await opened.isReceiving()).toBe(false)
  const { stats } = FakePeer.latest
  stats.set('sound', { type: 'inbound-rtp', kind: 'audio', bytesReceived: 100 })
  stats.set('in', { type: 'inbound-rtp', kind: 'video', bytesReceived: 0 })
  expect(await opened.isReceiving()).toBe(false)
  stats.set('in', { type: 'inbound-rtp', kind: 'video', bytesReceived: 1 })
  expect(await opened.isReceiving()).toBe(true)
})

test('a refusal is told with its code, and leaves nothing open', async () => {
  answers['POST'] = () =>
    Response.json(
      { type: 'about:blank', title: 't', status: 404, code: 'stream_not_available', requestId: 'r' },
      { status: 404 }
    )
  const error = await open().catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(ApiError)
  expect((error as ApiError).problem?.code).toBe('stream_not_available')
  expect(FakePeer.latest.isClosed).toBe(true)
  expect(calls.map(({ call }) => call)).toEqual([`POST ${url}`])
})

test('a connection that fails ends', async () => {
  const opened = await open()
  FakePeer.latest.connectionState = 'failed'
  FakePeer.latest.onconnectionstatechange()
  await opened.ended
})

test('the video gets the stream, and closing takes only its own away', async () => {
  const element = video()
  const ours = {}
  const theirs = {}
  let current: unknown = null
  Object.defineProperty(element, 'srcObject', { get: () => current, set: (next) => (current = next) })
  const opened = await open(element)
  FakePeer.latest.ontrack({ streams: [ours] })
  expect(current).toBe(ours)
  current = theirs
  opened.close()
  expect(current).toBe(theirs)
})

test('how late it is comes from the way and the wait of the newest frames', async () => {
  const opened = await open()
  expect(await opened.latencySeconds()).toBeNull()
  const { stats } = FakePeer.latest
  stats.set('pair', { type: 'candidate-pair', nominated: true, currentRoundTripTime: 0.02 })
  stats.set('in', { type: 'inbound-rtp', kind: 'video', jitterBufferDelay: 10, jitterBufferEmittedCount: 100 })
  expect(await opened.latencySeconds()).toBeCloseTo(0.11)
  stats.set('in', { type: 'inbound-rtp', kind: 'video', jitterBufferDelay: 12, jitterBufferEmittedCount: 200 })
  expect(await opened.latencySeconds()).toBeCloseTo(0.03)
})

test('candidates stand under the part of the offer they are for', () => {
  expect(iceFragment(offer, [candidate('candidate:a', 1), candidate('candidate:b', 0)])).toBe(
    'a=ice-ufrag:abcd\r\na=ice-pwd:secret\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=candidate:b\r\n' +
      'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=mid:1\r\na=candidate:a\r\n'
  )
})
