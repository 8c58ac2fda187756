import type { MediaSource } from '../../../shared/api/sources.ts'
import { freePort } from '../free-port.ts'
import type { FakeMediaMtx, PublishOptions } from './fake-mediamtx.ts'
import type { JsonObject } from './fields.ts'

/** Settings of a media server that asks the base who may send and watch, and of that base; its API is open to everybody. */
export async function askingEachOther(): Promise<{ config: JsonObject; env: Record<string, string> }> {
  const [address, key] = [`127.0.0.1:${await freePort()}`, 'a-key-of-this-test']
  return {
    config: {
      authMethod: 'http',
      authHTTPAddress: `http://${address}/internal/mediamtx/auth?k=${key}`,
      authHTTPExclude: [{ action: 'api' }]
    },
    env: {
      FLIGHTCASE_MEDIAMTX_USER: 'base',
      FLIGHTCASE_MEDIAMTX_PASSWORD: 'a-password',
      FLIGHTCASE_MEDIAMTX_AUTH: address,
      FLIGHTCASE_MEDIAMTX_AUTH_KEY: key
    }
  }
}

/** Begins to send a stream to its address. */
export function sendTo(mediamtx: FakeMediaMtx, source: MediaSource, options: PublishOptions = {}): Promise<unknown> {
  return mediamtx.publish(source.path_name, { query: new URL(source.push_url!).search.slice(1), ...options })
}
