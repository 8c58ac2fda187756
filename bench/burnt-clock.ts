import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { findFfmpeg } from '../src/daemon/media/find-ffmpeg.ts'

const [WIDTH, HEIGHT] = [320, 240]
const [COLUMNS, ROWS] = [8, 8]
const FRAME_MS = 40
/** One block tells one bit: 32 of the time in ms, then the same ones turned over. */
const TIME_BITS = 32

/**
 * Sends a stream whose picture shows when it was made, until `stop`. Times are the low 32 bits of epoch milliseconds.
 * Throws where there is no ffmpeg.
 */
export function sendBurntClock(url: string): { stop(): Promise<void> } {
  const ffmpeg = findFfmpeg()
  if (ffmpeg === null) throw new Error('this bench needs ffmpeg')
  const input = ['-fflags', 'nobuffer', '-probesize', '32', '-f', 'rawvideo', '-pix_fmt', 'gray']
  const size = ['-s', `${WIDTH}x${HEIGHT}`, '-r', String(1000 / FRAME_MS), '-i', 'pipe:0']
  const codec = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '25']
  const child = spawn(ffmpeg, ['-v', 'error', ...input, ...size, ...codec, '-flush_packets', '1', '-f', 'flv', url], {
    stdio: ['pipe', 'ignore', 'inherit']
  })
  const ended = once(child, 'exit')
  // It ends with its reader; whoever waits for pictures learns of that.
  child.stdin.on('error', () => {})
  const startedAt = performance.now()
  let frames = 0
  const timer = setInterval(() => {
    // A timer that comes late makes up for it, so that the stream's own time keeps pace.
    for (; frames * FRAME_MS <= performance.now() - startedAt; frames++) child.stdin.write(pictureOf(Date.now()))
  }, FRAME_MS)
  return {
    async stop() {
      clearInterval(timer)
      child.kill('SIGKILL')
      await ended
    }
  }
}

function pictureOf(timeMs: number): Buffer {
  const picture = Buffer.alloc(WIDTH * HEIGHT)
  const low = timeMs % 2 ** TIME_BITS
  for (let row = 0; row < HEIGHT; row++)
    for (let column = 0; column < COLUMNS; column++) {
      const block = Math.floor((row * ROWS) / HEIGHT) * COLUMNS + column
      const bit = Math.floor(low / 2 ** (block % TIME_BITS)) % 2
      if ((bit === 1) !== block >= TIME_BITS) {
        const at = row * WIDTH + (column * WIDTH) / COLUMNS
        picture.fill(255, at, at + WIDTH / COLUMNS)
      }
    }
  return picture
}

/** For a page: reads the age in ms of so many pictures as they come into its video element. Those that are not clear do not count. */
export const readBurntClock = (pictures: number) => `new Promise((resolve) => {
  const video = document.querySelector('video')
  const canvas = new OffscreenCanvas(${WIDTH}, ${HEIGHT})
  const context = canvas.getContext('2d', { willReadFrequently: true })
  const agesMs = []
  const look = () => {
    const nowMs = Date.now()
    context.drawImage(video, 0, 0, ${WIDTH}, ${HEIGHT})
    const { data } = context.getImageData(0, 0, ${WIDTH}, ${HEIGHT})
    const isWhite = (block) => {
      const x = Math.floor(((block % ${COLUMNS}) + 0.5) * ${WIDTH / COLUMNS})
      const y = Math.floor((Math.floor(block / ${COLUMNS}) + 0.5) * ${HEIGHT / ROWS})
      return data[4 * (y * ${WIDTH} + x)] > 127
    }
    let timeMs = 0
    let isClear = true
    for (let bit = 0; bit < ${TIME_BITS}; bit++) {
      if (isWhite(bit) === isWhite(bit + ${TIME_BITS})) isClear = false
      if (isWhite(bit)) timeMs += 2 ** bit
    }
    if (isClear) agesMs.push((nowMs % 2 ** ${TIME_BITS}) - timeMs)
    if (agesMs.length < ${pictures}) video.requestVideoFrameCallback(look)
    else resolve(agesMs)
  }
  video.requestVideoFrameCallback(look)
})`
