import type { HlsConfig } from 'hls.js'
import type { OpenedWay } from './stream-player.ts'

/** Further behind than this, a jump to the present is better than catching up. */
const tooLateSeconds = 10

/**
 * For live pictures with as little delay as the stream allows. The distance to the present is left to the playlist, which names it
 * for low latency. The first answer comes only when there is something to show, so it may take long.
 */
const settings: Partial<HlsConfig> = {
  lowLatencyMode: true,
  maxLiveSyncPlaybackRate: 1.3,
  backBufferLength: 30,
  maxBufferLength: 10,
  // Segments need no rewriting here, and there is no file to load a worker from.
  enableWorker: false,
  manifestLoadPolicy: {
    default: {
      maxTimeToFirstByteMs: 25_000,
      maxLoadTimeMs: 25_000,
      timeoutRetry: { maxNumRetry: 1, retryDelayMs: 0, maxRetryDelayMs: 0 },
      errorRetry: { maxNumRetry: 1, retryDelayMs: 500, maxRetryDelayMs: 1000 }
    }
  }
}

/** Shows a stream by HLS from its playlist at `url`; a browser that plays HLS itself does so. */
export async function openHls(video: HTMLVideoElement, url: string, signal: AbortSignal): Promise<OpenedWay> {
  const { default: Hls } = await import('hls.js')
  signal.throwIfAborted()
  if (!Hls.isSupported()) return openByBrowser(video, url)
  const ended = Promise.withResolvers<void>()
  const hls = new Hls(settings)
  hls.on(Hls.Events.ERROR, (_event, { fatal }) => {
    if (fatal) ended.resolve()
  })
  hls.on(Hls.Events.LEVEL_UPDATED, () => {
    if (hls.latency > tooLateSeconds && hls.liveSyncPosition !== null) video.currentTime = hls.liveSyncPosition
  })
  hls.loadSource(url)
  hls.attachMedia(video)
  return {
    ended: ended.promise,
    close() {
      hls.destroy()
      ended.resolve()
    },
    isReceiving: async () => false,
    latencySeconds: async () => (hls.latency > 0 ? hls.latency : null)
  }
}

function openByBrowser(video: HTMLVideoElement, url: string): OpenedWay {
  const ended = Promise.withResolvers<void>()
  const end = () => ended.resolve()
  video.addEventListener('error', end)
  video.src = url
  return {
    ended: ended.promise,
    close() {
      video.removeEventListener('error', end)
      video.removeAttribute('src')
      video.load()
      end()
    },
    isReceiving: async () => false,
    latencySeconds: async () => null
  }
}
