import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from './test-database.ts'

/** A tiny film made by ffmpeg; `args` come after the sources (a test picture with a clock, and a tone). */
export async function tinyClip(
  ffmpegPath: string,
  options: { name?: string; size?: string; seconds?: number; args?: string[] } = {}
): Promise<{ path: string; bytes: Buffer }> {
  const { name = 'clip.mp4', size = '64x48', seconds = 1, args = ['-c:v', 'mpeg4'] } = options
  const path = join(temporaryFolder('clip'), name)
  await promisify(execFile)(ffmpegPath, [
    ...['-loglevel', 'error', '-f', 'lavfi', '-i', `testsrc2=size=${size}:rate=10:duration=${seconds}`],
    ...['-f', 'lavfi', '-i', `sine=duration=${seconds}`, '-map', '0:v', '-map', '1:a', ...args, path]
  ])
  return { path, bytes: await readFile(path) }
}
