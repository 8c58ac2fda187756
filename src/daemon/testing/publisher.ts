import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import { findFfmpeg } from '../media/find-ffmpeg.ts'

export const PICTURE = { width: 320, height: 180 }

export interface PublisherOptions {
  /** Whether it goes on when the media server is away, as drones and encoders do; else it ends then. */
  reconnects?: boolean
}

/** Begins to send a test picture with a tone to an address of RTMP or RTSP. */
export function spawnPublisher(url: string, { reconnects = false }: PublisherOptions = {}): ChildProcess {
  const ffmpeg = findFfmpeg()
  if (ffmpeg === null) throw new Error('sending a stream takes ffmpeg')
  const inputs = [`testsrc2=s=${PICTURE.width}x${PICTURE.height}:r=10`, 'sine=f=440:r=48000']
  const sources = inputs.flatMap((source) => ['-re', '-f', 'lavfi', '-i', source])
  const picture = ['-c:v', 'libx264', '-preset', 'ultrafast', '-tune', 'zerolatency', '-pix_fmt', 'yuv420p', '-g', '5']
  const sound = ['-c:a', 'aac', '-b:a', '32k']
  const again = ['-attempt_recovery', '1', '-recover_any_error', '1', '-recovery_wait_time', '0.3']
  const output = url.startsWith('rtsp:')
    ? ['-f', 'rtsp', '-rtsp_transport', 'tcp']
    : reconnects
      ? ['-flags', '+global_header', '-map', '0', '-map', '1', '-f', 'fifo', '-fifo_format', 'flv', ...again]
      : ['-f', 'flv']
  return spawn(ffmpeg, ['-v', 'quiet', '-nostdin', ...sources, ...picture, ...sound, ...output, url], {
    stdio: 'ignore'
  })
}

/** Sends a stream until the test is over, or it ends by itself: `ended` gives the exit code, null where it was killed. */
export function publish(url: string | null | undefined, options: PublisherOptions = {}) {
  if (!url) throw new Error('there is no address to send to')
  const child = spawnPublisher(url, options)
  const ended = once(child, 'exit').then(([code]) => code as number | null)
  const stop = () => endProcess(child, 'SIGKILL')
  onTestFinished(stop)
  return { ended, stop }
}

/** Ends a process and waits for that; one that has ended already, or was never started, is fine. */
export async function endProcess(child: ChildProcess | null | undefined, signal: 'SIGINT' | 'SIGKILL'): Promise<void> {
  if (!child || child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  await exit
}
