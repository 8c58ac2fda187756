import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoClip } from '../../demo/demo-clip.ts'
import { plainJpeg } from '../testing/photos.ts'
import { withFileSource } from './byte-source.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { makePoster } from './make-poster.ts'
import { parseFfmpegReport, probeVideo } from './probe-video.ts'

const ffmpegPath = findFfmpeg()
if (!ffmpegPath) console.warn('\n!!! SKIPPED posters and other containers: there is no ffmpeg on this machine !!!\n')

let folder: string
let clip: Buffer
let clipPath: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'video-'))
  clip = await demoClip('test')
  clipPath = await save('clip', clip)
})
afterAll(() => rm(folder, { recursive: true, force: true }))

async function save(name: string, bytes: Buffer | string): Promise<string> {
  const filePath = join(folder, name)
  await writeFile(filePath, bytes)
  return filePath
}

/** Makes the clip into another container without touching its frames. */
function remux(name: string, ...args: string[]): string {
  const filePath = join(folder, name)
  const { status, stderr } = spawnSync(ffmpegPath ?? '', ['-v', 'error', '-y', ...args, filePath])
  if (status !== 0) throw new Error(String(stderr))
  return filePath
}

const probe = (filePath: string, options: { ffmpegPath?: string | null } = {}) =>
  withFileSource(filePath, (source) => probeVideo(source, { ...options, withFile: (work) => work(filePath) }))

describe('without ffmpeg', () => {
  it('reads the container', async () => {
    expect(await probe(clipPath)).toEqual({
      durationMs: 4000,
      widthPx: 640,
      heightPx: 360,
      rotation: 0,
      videoCodec: 'h264',
      audioCodec: null,
      frameRate: 30,
      createdAtMs: Date.parse('2025-06-14T01:31:00Z'),
      isTruncated: false
    })
  })

  it('sees that a video is cut off', async () => {
    expect(await probe(await save('cut', clip.subarray(0, 90_000)))).toMatchObject({
      isTruncated: true,
      widthPx: 640
    })
  })

  it('says that there is no ffmpeg when a poster is wanted', async () => {
    const poster = makePoster({ filePath: clipPath, ffmpegPath: null })
    await expect(poster).rejects.toMatchObject({ name: 'MediaError', problem: 'ffmpeg_missing' })
  })
})

const notVideos: [string, () => Buffer | string | Promise<Buffer>][] = [
  ['nothing', () => ''],
  ['text named like a video', () => 'this is not a video'],
  ['a picture', () => plainJpeg(64, 64)],
  ['a video without its index', () => clip.subarray(0, 40)],
  ['a playlist', () => `#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n${clipPath}\n#EXT-X-ENDLIST\n`],
  ['a concatenation script', () => `ffconcat version 1.0\nfile '${clipPath}'\n`],
  ['zeros', () => Buffer.alloc(100_000)],
  ['a box of sixteen exabytes', () => Buffer.from('00000001667479707fffffffffffffff', 'hex')]
]

describe('what is no video', () => {
  it.each(notVideos)('%s', async (name, bytes) => {
    const filePath = await save(`${name}.MP4`, await bytes())
    await expect(probe(filePath)).rejects.toMatchObject({ name: 'MediaError', problem: 'unreadable' })
  })

  it.skipIf(!ffmpegPath).each(notVideos)('%s, also by ffmpeg', async (name, bytes) => {
    const filePath = await save(`${name}.MP4`, await bytes())
    const unreadable = { name: 'MediaError', problem: 'unreadable' }
    await expect(probe(filePath, { ffmpegPath })).rejects.toMatchObject(unreadable)
    await expect(makePoster({ filePath, ffmpegPath })).rejects.toMatchObject(unreadable)
  })

  it('is told apart from what is not there', async () => {
    await expect(probe(join(folder, 'missing.mp4'))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  it('ends for any change to a good video', { timeout: 60_000 }, async () => {
    const indexEnd = clip.indexOf('mdat')
    const change = fc.record({
      at: fc.integer({ min: 0, max: indexEnd }),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 8 })
    })
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 5 }), async (changes) => {
        const bytes = Buffer.from(clip)
        for (const { at, bytes: patch } of changes) Buffer.from(patch).copy(bytes, at)
        const filePath = await save('changed', bytes)
        const info = await probe(filePath).catch((error: unknown) => {
          expect(error).toMatchObject({ name: 'MediaError', problem: 'unreadable' })
          return null
        })
        if (info) expect(info.widthPx).toBeGreaterThan(0)
      }),
      { numRuns: 500 }
    )
  })
})

describe.skipIf(!ffmpegPath)('with ffmpeg', () => {
  it('makes a poster in full size', async () => {
    const poster = await makePoster({ filePath: clipPath, ffmpegPath, durationMs: 4000 })
    expect(await sharp(poster).metadata()).toMatchObject({ format: 'jpeg', width: 640, height: 360 })
  })

  it('makes one of a video that ends before the wanted frame', async () => {
    const filePath = await save('short', clip.subarray(0, 60_000))
    const poster = await makePoster({ filePath, ffmpegPath, durationMs: 4000 })
    expect(await sharp(poster).metadata()).toMatchObject({ width: 640, height: 360 })
  })

  it('shows a turned video upright', async () => {
    const filePath = remux('turned.mov', '-i', clipPath, '-c', 'copy', '-metadata:s:v:0', 'rotate=90')
    expect(await probe(filePath)).toMatchObject({ widthPx: 360, heightPx: 640 })
    const poster = await makePoster({ filePath, ffmpegPath })
    expect(await sharp(poster).metadata()).toMatchObject({ width: 360, height: 640 })
  })

  it.each(['stream.ts', 'clip.mkv', 'clip.mov'])('reads %s', async (name) => {
    const info = await probe(remux(name, '-i', clipPath, '-c', 'copy'), { ffmpegPath })
    expect(info).toMatchObject({ widthPx: 640, heightPx: 360, videoCodec: 'h264' })
    expect(Math.abs((info.durationMs ?? 0) - 4000)).toBeLessThan(100)
    expect(Math.round(info.frameRate ?? 0)).toBe(30)
  })

  it('tells the length of a fragmented file', async () => {
    const filePath = remux('fragments.mp4', '-i', clipPath, '-c', 'copy', '-movflags', 'frag_keyframe+empty_moov')
    expect(await probe(filePath)).toMatchObject({ widthPx: 640, durationMs: null, isTruncated: false })
    expect(await probe(filePath, { ffmpegPath })).toMatchObject({ widthPx: 640, durationMs: 4000, frameRate: 30 })
  })

  it('leaves to ffmpeg what only ffmpeg reads', async () => {
    const filePath = remux('old.avi', '-f', 'lavfi', '-i', 'testsrc2=d=2:s=320x240', '-c:v', 'mjpeg')
    await expect(probe(filePath)).rejects.toMatchObject({ problem: 'ffmpeg_missing' })
    expect(await probe(filePath, { ffmpegPath })).toMatchObject({
      durationMs: 2000,
      widthPx: 320,
      heightPx: 240,
      videoCodec: 'mjpeg',
      frameRate: 25
    })
  })

  it('is killed when the signal aborts', async () => {
    const controller = new AbortController()
    const poster = makePoster({ filePath: clipPath, ffmpegPath, signal: controller.signal })
    controller.abort(new Error('enough'))
    await expect(poster).rejects.toThrow('enough')
    const timeUp = makePoster({ filePath: clipPath, ffmpegPath, timeoutMs: 1 })
    await expect(timeUp).rejects.toMatchObject({ name: 'TimeoutError' })
  })
})

it('reads the report of ffmpeg', () => {
  const report = `Input #0, mov,mp4,m4a,3gp,3g2,mj2, from 'x':
  Metadata:
    creation_time   : 2025-06-14T01:31:00.000000Z
  Duration: 00:01:02.53, start: 0.000000, bitrate: 60000 kb/s
  Stream #0:0[0x1](und): Video: hevc (Main) (hvc1 / 0x31637668), yuv420p(tv, bt709), 3840x2160 [SAR 1:1 DAR 16:9], 59000 kb/s, 29.97 fps, 29.97 tbr, 30k tbn (default)
    Side data:
      displaymatrix: rotation of -90.00 degrees
  Stream #0:1[0x2](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz, stereo, fltp, 128 kb/s (default)`
  expect(parseFfmpegReport(report)).toEqual({
    durationMs: 62_530,
    widthPx: 2160,
    heightPx: 3840,
    rotation: 90,
    videoCodec: 'hevc',
    audioCodec: 'aac',
    frameRate: 29.97,
    createdAtMs: Date.parse('2025-06-14T01:31:00Z'),
    isTruncated: false
  })
  expect(parseFfmpegReport('x: Invalid data found when processing input')).toBeNull()
})
