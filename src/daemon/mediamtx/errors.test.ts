import { expect, test } from 'vitest'
import { MediaMtxError, redact } from './errors.ts'

test.each([
  [
    '[path live/a] dial rtsp://ann:hunter2@10.0.0.9:554/ch1: timeout',
    '[path live/a] dial rtsp://[removed]@10.0.0.9:554/ch1: timeout'
  ],
  [
    "invalid source: 'srt://h:1?passphrase=hunter2&mode=caller'",
    "invalid source: 'srt://h:1?passphrase=[removed]&mode=caller'"
  ],
  ['POST http://127.0.0.1:1/auth?k=hunter2: refused', 'POST http://127.0.0.1:1/auth?k=[removed] refused'],
  ['rtmp://h/live/x?user=ann&pass=hunter2', 'rtmp://h/live/x?user=[removed]&pass=[removed]'],
  ["'rtmp://h/app#hunter2' is wrong", "'rtmp://h/app#[removed]' is wrong"],
  ['streamid=publish:live/a:ann:hunter2', 'streamid=publish:live/a:[removed]'],
  ['GET /live/a/index.m3u8?token=hunter2', 'GET /live/a/index.m3u8?token=[removed]'],
  ['http://ann:hunt@er2@h/', 'http://[removed]@h/'],
  ['path not found', 'path not found']
])('%s', (text, expected) => {
  expect(redact(text)).toBe(expected)
  expect(new MediaMtxError('Invalid', text).message).toBe(expected)
})
