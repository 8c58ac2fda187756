import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../free-port.ts'
import { isObject } from './decode.ts'
import { FakeMediaMtx, type FakeMediaMtxOptions } from './fake-mediamtx.ts'
import type { JsonObject } from './fields.ts'

/**
 * Starts a fake MediaMTX on free loopback ports, with the API, playback and HLS on, whose recordings are in a new
 * temporary folder (`recordRoot`) as `%path/%s-%f`. What `config` says, as a configuration file would, goes before that.
 */
export async function startFakeMediaMtx(
  options: Omit<FakeMediaMtxOptions, 'config' | 'recordRoot'> & { config?: JsonObject } = {}
): Promise<FakeMediaMtx> {
  const recordRoot = mkdtempSync(join(tmpdir(), 'fake-mediamtx-'))
  const { pathDefaults = {}, ...config } = options.config ?? {}
  const listeners: JsonObject = {}
  for (const name of ['api', 'playback', 'hls']) {
    listeners[name] = true
    // It may go down and come up again at the same ones.
    listeners[`${name}Address`] = `127.0.0.1:${await freePort()}`
  }
  const recording = { recordPath: `${recordRoot}/%path/%s-%f`, recordDeleteAfter: '0s' }
  const server = new FakeMediaMtx({
    ...options,
    recordRoot,
    config: { ...listeners, ...config, pathDefaults: { ...recording, ...(isObject(pathDefaults) ? pathDefaults : {}) } }
  })
  await server.start()
  return server
}
