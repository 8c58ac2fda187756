import { freePort } from './free-port.ts'

/** Settings of a daemon that runs `program`, or what it finds, at ports of this machine only, the same ones after each start. */
export async function realLiveEnv(program?: string): Promise<Record<string, string>> {
  const listeners: Record<string, string> = {}
  for (const name of ['RTMP', 'RTSP', 'HLS', 'WEBRTC', 'WEBRTC_UDP'])
    listeners[`FLIGHTCASE_LIVE_${name}`] = `127.0.0.1:${await freePort()}`
  return {
    ...listeners,
    FLIGHTCASE_LIVE_ENABLED: 'true',
    ...(program === undefined ? {} : { FLIGHTCASE_MEDIAMTX_BIN: program }),
    FLIGHTCASE_LIVE_ALLOW_LOOPBACK: 'true',
    FLIGHTCASE_LIVE_PUBLIC_HOST: '127.0.0.1'
  }
}
