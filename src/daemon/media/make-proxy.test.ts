import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { tinyClip } from '../testing/clips.ts'
import { temporaryFolder } from '../testing/test-database.ts'
import { withFileSource } from './byte-source.ts'
import { findFfmpeg } from './find-ffmpeg.ts'
import { makeHls, makeProxy, type ProxyRequest } from './make-proxy.ts'
import { MediaError } from './media-error.ts'
import { readMp4 } from './read-mp4.ts'

const ffmpegPath = findFfmpeg() ?? ''
if (!ffmpegPath) console.warn('\n!!! SKIPPED films for browsers: there is no ffmpeg on this machine !!!\n')

async function request(filePath: string, overrides: Partial<ProxyRequest> = {}): Promise<ProxyRequest> {
  return {
    filePath,
    ffmpegPath,
    folder: await mkdtemp(join(temporaryFolder('proxy'), 'made-')),
    durationMs: null,
    signal: new AbortController().signal,
    onProgress: () => {},
    ...overrides
  }
}

const info = (path: string) => withFileSource(path, readMp4)

describe.skipIf(!ffmpegPath)('proxies', () => {
  it.each([
    [
      'HEVC in MP4',
      'a.mp4',
      ['-c:v', 'libx265', '-x265-params', 'log-level=error', '-pix_fmt', 'yuv420p10le', '-c:a', 'aac']
    ],
    ['ProRes in QuickTime', 'a.mov', ['-c:v', 'prores_ks', '-c:a', 'pcm_s16le']],
    ['MPEG-4 in AVI', 'a.avi', ['-c:v', 'mpeg4', '-c:a', 'mp3']]
  ])('%s becomes H.264 with AAC, its index in front', async (_, name, args) => {
    const clip = await tinyClip(ffmpegPath, { name, args })
    const progress: number[] = []
    const made = await makeProxy(await request(clip.path, { durationMs: 1000, onProgress: (f) => progress.push(f) }))
    expect(made).toMatchObject({ widthPx: 64, heightPx: 48 })
    expect(await info(made.filePath)).toMatchObject({ videoCodec: 'h264', audioCodec: 'aac', isTruncated: false })
    const bytes = await readFile(made.filePath)
    expect(bytes.indexOf('moov')).toBeLessThan(bytes.indexOf('mdat'))
    // yuv420p, 8 bits: the profile of the decoder's configuration is High or lower.
    expect(bytes[bytes.indexOf('avcC') + 5]).toBeLessThanOrEqual(100)
    expect(progress.at(-1)).toBe(0.99)
  })

  it.each([
    ['4000x100', 1920, 48],
    ['100x2000', 96, 1920],
    ['2000x1200', 1800, 1080],
    ['34x18', 34, 18]
  ])('%s fits into 1080p', async (size, widthPx, heightPx) => {
    const clip = await tinyClip(ffmpegPath, { size, seconds: 0.2 })
    expect(await makeProxy(await request(clip.path))).toMatchObject({ widthPx, heightPx })
  })

  it('HLS is the proxy in another container: one file, segments by byte range', async () => {
    const clip = await tinyClip(ffmpegPath, { seconds: 6 })
    const proxy = await makeProxy(await request(clip.path))
    const made = await makeHls(await request(proxy.filePath))
    const playlist = await readFile(made.playlistPath, 'utf8')
    expect(playlist).toMatch(/#EXT-X-MAP:URI="media\.mp4",BYTERANGE="\d+@0"/)
    const ranges = [...playlist.matchAll(/#EXT-X-BYTERANGE:(\d+)@(\d+)\nmedia\.mp4/g)]
    expect(ranges.length).toBe(2)
    const last = ranges.at(-1)!
    expect(Number(last[1]) + Number(last[2])).toBeLessThanOrEqual((await stat(made.mediaPath)).size)
    expect(playlist).toContain('#EXT-X-ENDLIST')
  })

  it.each<[string, () => Promise<Buffer>]>([
    ['nothing', async () => Buffer.alloc(0)],
    ['words', async () => Buffer.from('not a film')],
    ['half an index', async () => (await tinyClip(ffmpegPath)).bytes.subarray(0, 500)],
    ['sound alone', async () => (await tinyClip(ffmpegPath, { name: 'a.m4a', args: ['-vn', '-c:a', 'aac'] })).bytes],
    ['a playlist of other files', async () => Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n')],
    ['a list to join', async () => Buffer.from("ffconcat version 1.0\nfile '/etc/passwd'\n")]
  ])('%s is unreadable, and nothing is left running', async (_, content) => {
    const filePath = join(temporaryFolder('bad'), 'film.mp4')
    await writeFile(filePath, await content())
    const error = await makeProxy(await request(filePath)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MediaError)
    expect(error).toMatchObject({ problem: 'unreadable' })
  })

  it('refuses pictures of a size that would fill the memory', async () => {
    const bomb = await tinyClip(ffmpegPath, {
      name: 'bomb.avi',
      size: '16000x4000',
      seconds: 0.1,
      args: ['-c:v', 'mjpeg', '-q:v', '31', '-an']
    })
    await expect(makeProxy(await request(bomb.path))).rejects.toMatchObject({ problem: 'unreadable' })
  })

  it('a film cut short shows what there is', async () => {
    const { bytes } = await tinyClip(ffmpegPath, { seconds: 3, args: ['-c:v', 'mpeg4', '-movflags', '+faststart'] })
    const filePath = join(temporaryFolder('cut'), 'film.mp4')
    await writeFile(filePath, bytes.subarray(0, bytes.length - 20_000))
    const made = await makeProxy(await request(filePath))
    expect((await info(made.filePath))?.durationMs).toBeGreaterThan(500)
  })

  it('waits while it may not go on; the clock of the stall limit stands still then', async () => {
    const clip = await tinyClip(ffmpegPath)
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    const gate = Promise.withResolvers<void>()
    const asked = Promise.withResolvers<void>()
    const input = await request(clip.path, {
      stallTimeoutMs: 100,
      mayGoOn: () => {
        asked.resolve()
        return gate.promise
      }
    })
    const making = makeProxy(input)
    await asked.promise
    vi.advanceTimersByTime(10_000)
    gate.resolve()
    expect(await making).toMatchObject({ widthPx: 64 })
  })

  it('an abort kills ffmpeg, also in a pause', async () => {
    const clip = await tinyClip(ffmpegPath, { size: '320x240', seconds: 60, args: ['-c:v', 'mpeg4', '-an'] })
    const abort = new AbortController()
    const mayGoOn = () => {
      abort.abort(new Error('cancelled'))
      return new Promise<void>(() => {})
    }
    const input = await request(clip.path, { signal: abort.signal, mayGoOn })
    await expect(makeProxy(input)).rejects.toThrow('cancelled')
    expect(await commandsWith(clip.path)).toEqual([])
  })

  it('gives up an encoder that makes nothing', async () => {
    // Stands in for a decoder that hangs: it says and writes nothing.
    const stuck = join(temporaryFolder('stuck'), 'ffmpeg')
    await writeFile(stuck, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 })
    await expect(makeProxy(await request('x', { ffmpegPath: stuck, stallTimeoutMs: 100 }))).rejects.toThrow(
      'made nothing for 100 ms'
    )
  })

  it('what stops the output stops the encoder', async () => {
    const clip = await tinyClip(ffmpegPath)
    const mayGoOn = vi.fn(async () => {
      throw new Error('no room')
    })
    const input = await request(clip.path, { mayGoOn })
    await expect(makeProxy(input)).rejects.toThrow('no room')
    expect(await commandsWith(clip.path)).toEqual([])
  })

  it('an ffmpeg that cannot be started says nothing about the bytes', async () => {
    await expect(makeProxy(await request('x', { ffmpegPath: '/nowhere/ffmpeg' }))).rejects.toMatchObject({
      code: 'ENOENT'
    })
  })

  it('an ffmpeg that lacks the encoder says nothing about the bytes', async () => {
    const lacking = join(temporaryFolder('lacking'), 'ffmpeg')
    await writeFile(lacking, '#!/bin/sh\necho "Unknown encoder \'libx264\'" >&2\nexit 1\n', { mode: 0o755 })
    const error = await makeProxy(await request('x', { ffmpegPath: lacking })).catch((reason: unknown) => reason)
    expect(error).not.toBeInstanceOf(MediaError)
    expect(error).toMatchObject({ message: expect.stringContaining('libx264') })
  })
})

it.skipIf(!ffmpegPath || process.platform === 'win32')('ffmpeg ends when this process is killed', async () => {
  const clip = await tinyClip(ffmpegPath, { size: '640x360', seconds: 60, args: ['-c:v', 'mpeg4', '-an'] })
  const folder = await mkdtemp(join(temporaryFolder('proxy'), 'made-'))
  const child = fork(join(import.meta.dirname, '../testing/proxy-holder.ts'), [ffmpegPath, clip.path, folder], {
    silent: true
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  expect(await once(child, 'message')).toContain('encoding')
  expect(await commandsWith(clip.path)).toContainEqual(expect.stringContaining('libx264'))
  child.kill('SIGKILL')
  await vi.waitFor(async () => expect(await commandsWith(clip.path)).toEqual([]), { timeout: 10_000 })
})

/** Command lines of running processes that name a file. */
async function commandsWith(path: string): Promise<string[]> {
  const found: string[] = []
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (!/^\d+$/.test(pid)) continue
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    if (command.includes(path)) found.push(command)
  }
  return found
}
