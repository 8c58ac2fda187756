import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { assertForeign, isOwnAddress, masked, protocolOf } from './pull-url.ts'

const strict = { allowLoopback: false }

test('an address says by its scheme how it is fetched', () => {
  for (const [url, protocol] of [
    ['rtsp://cam.lan/stream1', 'rtsp'],
    ['RTSPS://user:p%40ss@192.0.2.9:322/x?channel=1', 'rtsp'],
    ['rtsp+ws://cam.lan/x', 'rtsp'],
    ['rtmp://192.0.2.9/app/key#stream', 'rtmp'],
    ['https://example.org/live/index.m3u8', 'hls'],
    ['srt://192.0.2.9:8890?streamid=read:x', 'srt'],
    ['wheps://example.org/x/whep', 'webrtc'],
    ['udp+mpegts://239.1.2.3:5000', 'mpegts']
  ] as const)
    expect(protocolOf(url, strict)).toBe(protocol)
})

test('what is no such address, or leads into this machine, is refused with the reason', () => {
  for (const [url, reason] of [
    ['webrtc://h/x', 'scheme'],
    ['unix+rtsp:///tmp/x', 'scheme'],
    ['udp+rtp://239.1.2.3:5000', 'scheme'],
    ['rpiCamera', 'scheme'],
    ['publisher', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['rtsp://', 'host'],
    ['rtsp://user@cam.lan/x', 'credential'],
    ['rtsp://:pass@cam.lan/x', 'credential'],
    ['rtsp://cam.lan/$MTX_QUERY', 'dollar'],
    ['rtsp://user:***@cam.lan/x', 'masked'],
    ['rtsp://cam.lan/x?password=***&n=1', 'masked'],
    ['rtsp://cam.lan/a b', 'characters'],
    ['rtsp://cam.lan/a\r\nX: y', 'characters'],
    ['udp+mpegts://239.1.2.3', 'port'],
    ['rtsp://127.0.0.1/x', 'address'],
    ['rtsp://127.1/x', 'address'],
    ['rtsp://[::1]/x', 'address'],
    ['rtsp://[::ffff:127.0.0.1]/x', 'address'],
    ['rtsp://0.0.0.0/x', 'address'],
    ['rtsp://2130706433/x', 'address'],
    ['rtsp://[::127.0.0.1]/x', 'address'],
    ['rtsp://[64:ff9b::7f00:1]/x', 'address'],
    ['rtsp://[2002:7f00:1::]/x', 'address'],
    ['rtsp://[fe80::1]/x', 'address'],
    ['rtsp://192.0.2.9\\@127.0.0.1/x', 'characters'],
    ['http://169.254.169.254/latest', 'address'],
    ['rtsp://localhost:8554/x', 'address']
  ] as const)
    expect([url, codeOf(() => protocolOf(url, strict))]).toEqual([url, reason])
  expect(protocolOf('rtsp://127.0.0.1/x', { allowLoopback: true })).toBe('rtsp')
})

test('what this machine listens at for others is its own, too; all others of their networks are not', () => {
  const card = (address: string) => [{ address, family: 'IPv4', internal: false } as NetworkInterfaceInfo]
  const cards = () => ({ wlan0: [...card('192.168.1.10'), ...card('fd00::10')], docker0: card('172.17.0.1') })
  for (const own of ['192.168.1.10', '::ffff:192.168.1.10', 'fd00:0::10', '172.17.0.1', '127.0.0.1'])
    expect([own, isOwnAddress(own, cards)]).toEqual([own, true])
  for (const camera of ['192.168.1.11', '10.0.0.9', '100.64.0.9', 'fd00::11', '2a00::1', '8.8.8.8'])
    expect([camera, isOwnAddress(camera, cards)]).toEqual([camera, false])
})

test('a name that leads to this machine is refused, one that leads nowhere is not', async () => {
  const resolve = (async (host: string) => {
    if (host === 'gone.lan') throw new Error('ENOTFOUND')
    return [{ address: host === 'trick.lan' ? '127.0.0.1' : '192.0.2.9', family: 4 }]
  }) as never
  await expect(assertForeign('rtsp://trick.lan/x', resolve)).rejects.toMatchObject({ code: 'pull_url_refused' })
  await assertForeign('rtsp://cam.lan/x', resolve)
  await assertForeign('rtsp://gone.lan/x', resolve)
})

test('no password is shown', () => {
  expect(masked('rtsp://user:secret@cam.lan:554/x')).toBe('rtsp://user:***@cam.lan:554/x')
  expect(masked('rtsp://user:se@cret@cam.lan:554/x')).toBe('rtsp://user:***@cam.lan:554/x')
  expect(masked('rtsp://cam.lan/x?user=a&password=secret&n=1')).toBe('rtsp://cam.lan/x?user=a&password=***&n=1')
  expect(masked('rtsp://bob@example.com:secret@cam.lan/x')).toBe('rtsp://bob@example.com:***@cam.lan/x')
  expect(masked('srt://h:1?streamid=read:x:bob:secret')).toBe('srt://h:1?streamid=***')
  expect(masked('http://h/x.m3u8?access_token=secret&api_key=secret&X-Amz-Signature=secret')).toBe(
    'http://h/x.m3u8?access_token=***&api_key=***&X-Amz-Signature=***'
  )
  expect(masked('rtmp://h/app#secret')).toBe('rtmp://h/app#***')
  expect(masked('srt://h:1?passphrase=secret#token=secret')).toBe('srt://h:1?passphrase=***#token=***')
  expect(masked('https://example.org/a:b@c/index.m3u8')).toBe('https://example.org/a:b@c/index.m3u8')
})

function codeOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return (error as { details?: { reason?: string } }).details?.reason
  }
}
