import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { Listeners } from './listeners.ts'

const here = (port: number) => ({ host: '127.0.0.1', port })
const none = { rtmp: null, rtsp: null, hls: null, webrtc: null, webrtcUdp: null, srt: null }

test('any free port is a different one each, and stays the same', async () => {
  const listeners = new Listeners({
    ...none,
    rtmp: here(0),
    rtsp: here(0),
    hls: here(0),
    webrtc: here(0),
    webrtcUdp: here(0)
  })
  expect(listeners.ownUrls().rtmp).toBeNull()
  const { listen, ports } = await listeners.reserve()
  const tcp = [listen.rtmp, listen.rtsp, listen.hls, listen.webrtc].map((address) => address?.port)
  expect(new Set([...tcp, ...Object.values(ports)]).size).toBe(6)
  expect(tcp).not.toContain(0)
  const again = await listeners.reserve()
  expect(again.listen).toEqual(listen)
  expect(listeners.problem()).toBeNull()
})

test('addresses that are settled are known before anything runs', () => {
  const listeners = new Listeners({
    ...none,
    rtmp: { host: '0.0.0.0', port: 1935 },
    hls: { host: '::1', port: 8888 },
    rtsp: { host: '10.0.0.5', port: 8554 }
  })
  expect(listeners.ownUrls()).toEqual({
    rtmp: 'rtmp://127.0.0.1:1935',
    hls: 'http://[::1]:8888',
    rtsp: 'rtsp://10.0.0.5:8554',
    webrtc: null,
    srt: null
  })
  // A proxy of the same machine may lead to what listens for that alone.
  expect(listeners.urls('base.lan')).toMatchObject({
    rtmp: 'rtmp://base.lan:1935',
    hls: 'http://base.lan:8888',
    rtsp: 'rtsp://10.0.0.5:8554'
  })
  expect(listeners.namedUrls('media.example.org').rtsp).toBe('rtsp://media.example.org:8554')
  expect(listeners.urls('fe80::1').rtmp).toBe('rtmp://[fe80::1]:1935')
})

test('without its UDP port there is no WebRTC, and the reason is told', async () => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  onTestFinished(() => void socket.close())
  const { port } = socket.address()
  const listeners = new Listeners({ ...none, rtsp: here(0), webrtc: here(0), webrtcUdp: here(port) })
  const { listen } = await listeners.reserve()
  expect(listen).toMatchObject({ webrtc: null, webrtcUdp: null, rtsp: { port: expect.any(Number) } })
  expect(listeners.problem()).toMatchObject({
    code: 'port_taken',
    message: `WebRTC (UDP) is off: 127.0.0.1:${port} cannot be had (another program has it).`
  })
})

test('two protocols at one port: the first has it', async () => {
  const probe = new Listeners({ ...none, rtmp: here(0) })
  const port = (await probe.reserve()).listen.rtmp!.port
  const listeners = new Listeners({ ...none, rtmp: here(port), rtsp: here(port) })
  expect((await listeners.reserve()).listen).toMatchObject({ rtmp: { port }, rtsp: null })
  expect(listeners.problem()?.remedy).toContain('FLIGHTCASE_LIVE_RTSP')
})
