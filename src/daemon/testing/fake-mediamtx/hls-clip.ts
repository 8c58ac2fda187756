import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findFfmpeg } from '../../media/find-ffmpeg.ts'
import { initBytes, partsBytes } from './segment-media.ts'

/** A few seconds of media, cut into segments of one second each, to be played over and over. */
export interface HlsClip {
  codecs: string
  init: Buffer
  segments: Buffer[]
}

const CLIP_SECONDS = 20

let made: Promise<HlsClip> | undefined

/** A moving test picture with a tone, made once per process; without ffmpeg a standing picture without sound. */
export function hlsClip(): Promise<HlsClip> {
  const ffmpeg = findFfmpeg()
  made ??= ffmpeg === null ? Promise.resolve(standingPicture()) : testPicture(ffmpeg)
  return made
}

function standingPicture(): HlsClip {
  const segments = Array.from({ length: CLIP_SECONDS }, (_, second) => partsBytes(second * 1000, 1000))
  return { codecs: 'avc1.42c00a', init: initBytes(), segments }
}

async function testPicture(ffmpeg: string): Promise<HlsClip> {
  const folder = mkdtempSync(join(tmpdir(), 'fake-mediamtx-hls-'))
  try {
    const lavfi = (source: string) => ['-f', 'lavfi', '-t', String(CLIP_SECONDS), '-i', source]
    const picture = [
      '-c:v',
      'libx264',
      '-preset',
      'ultrafast',
      '-profile:v',
      'baseline',
      '-pix_fmt',
      'yuv420p',
      '-g',
      '10'
    ]
    const hls = ['-f', 'hls', '-hls_time', '1', '-hls_list_size', '0', '-hls_segment_type', 'fmp4']
    const names = ['-hls_segment_filename', join(folder, '%03d.m4s'), join(folder, 'clip.m3u8')]
    const sources = [...lavfi('testsrc2=s=320x180:r=10'), ...lavfi('sine=f=440:r=48000')]
    const sound = ['-c:a', 'aac', '-b:a', '32k', '-shortest']
    await run(ffmpeg, ['-v', 'error', '-nostdin', ...sources, ...picture, ...sound, ...hls, ...names], folder)
    const parts = readdirSync(folder).filter((name) => name.endsWith('.m4s'))
    return {
      codecs: 'avc1.42c00d,mp4a.40.2',
      init: readFileSync(join(folder, 'init.mp4')),
      segments: parts.sort().map((name) => readFileSync(join(folder, name)))
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function run(program: string, args: string[], cwd: string): Promise<void> {
  const child = spawn(program, args, { cwd, stdio: ['ignore', 'ignore', 'inherit'] })
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${program} ended with ${code}`)
}
