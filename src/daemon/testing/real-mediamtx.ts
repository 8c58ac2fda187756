import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { vi } from 'vitest'
import { findMediaMtx } from '../mediamtx/find-mediamtx.ts'
import type { JsonObject } from './fake-mediamtx/fields.ts'
import { freePort } from './free-port.ts'
import { endProcess, spawnPublisher } from './publisher.ts'

/** The MediaMTX to test against: `FLIGHTCASE_MEDIAMTX_BIN`, else the first on PATH; null, and said, where there is none. */
export async function findRealMediaMtx(): Promise<string | null> {
  const configured = process.env['FLIGHTCASE_MEDIAMTX_BIN'] ?? null
  const found = await findMediaMtx({ configured, resourcesDir: null })
  if ('program' in found) return found.program.path
  console.warn(`no test with the real MediaMTX: ${found.problem.message} ${found.problem.remedy}`)
  return null
}

export interface RealMediaMtx {
  urls: { api: string; playback: string; hls: string }
  /** The folder its recordings are in, as `%path/%s-%f`. */
  recordRoot: string
  /** Begins to send a test picture with a tone over RTMP, and goes on until `unpublish`. */
  publish(path: string): void
  unpublish(path: string): Promise<void>
  restart(): Promise<void>
  /** Writes the configuration file anew; the running program reads it by itself. */
  rewriteConfigFile(paths: JsonObject): void
  close(): Promise<void>
}

/**
 * Starts the real program in a folder of its own on free loopback ports, and waits until its API answers. `settings` go
 * into its configuration file; `authorization` is the header the API wants.
 */
export async function startRealMediaMtx(
  program: string,
  settings: JsonObject,
  authorization: string
): Promise<RealMediaMtx> {
  const folder = mkdtempSync(join(tmpdir(), 'real-mediamtx-'))
  const recordRoot = join(folder, 'recordings')
  const file = join(folder, 'mediamtx.json')
  const address = async () => `127.0.0.1:${await freePort()}`
  const listeners = {
    apiAddress: await address(),
    playbackAddress: await address(),
    hlsAddress: await address(),
    rtmpAddress: await address(),
    rtspAddress: await address()
  }
  const writeConfig = (paths: JsonObject) => {
    writeFileSync(file, JSON.stringify({ ...programConfig(recordRoot), ...listeners, ...settings, paths }))
  }
  const publishers = new Map<string, ChildProcess>()
  let child: ChildProcess | null = null

  async function start(): Promise<void> {
    const started = spawn(program, [file], { cwd: folder, env: { TZ: 'UTC' }, stdio: ['ignore', 'ignore', 'inherit'] })
    child = started
    await vi.waitFor(
      async () => {
        const response = await fetch(`http://${listeners.apiAddress}/v3/info`, { headers: { authorization } })
        if (!response.ok) throw new Error(`MediaMTX answers ${response.status}, its exit code is ${started.exitCode}`)
      },
      { timeout: 15_000, interval: 50 }
    )
  }

  writeConfig({})
  await start()
  return {
    urls: {
      api: `http://${listeners.apiAddress}`,
      playback: `http://${listeners.playbackAddress}`,
      hls: `http://${listeners.hlsAddress}`
    },
    recordRoot,
    publish: (path) => {
      publishers.set(path, spawnPublisher(`rtmp://${listeners.rtmpAddress}/${path}`))
    },
    unpublish: async (path) => {
      await endProcess(publishers.get(path), 'SIGKILL')
      publishers.delete(path)
    },
    restart: async () => {
      await endProcess(child, 'SIGINT')
      await start()
    },
    rewriteConfigFile: writeConfig,
    close: async () => {
      for (const publisher of publishers.values()) await endProcess(publisher, 'SIGKILL')
      await endProcess(child, 'SIGINT')
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

const programConfig = (recordRoot: string): JsonObject => ({
  api: true,
  playback: true,
  rtspTransports: ['tcp'],
  hlsVariant: 'fmp4',
  webrtc: false,
  srt: false,
  moq: false,
  pathDefaults: {
    recordPath: `${recordRoot}/%path/%s-%f`,
    recordPartDuration: '200ms',
    recordSegmentDuration: '15m',
    recordDeleteAfter: '0s'
  }
})
