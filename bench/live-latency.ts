import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type Browser, chromium } from '@playwright/test'
import { z } from 'zod'
import playwright from '../playwright.config.ts'
import { createSource, getSourceStatus } from '../src/shared/api/sources.ts'
import { readBurntClock, sendBurntClock } from './burnt-clock.ts'
import type { LiveOptions } from './live.bench.ts'
import { type LiveDaemon, until, withLiveDaemon } from './live-daemon.ts'
import type { PartResult } from './parts.ts'
import { type Figure, median, percentile } from './report.ts'

const VIEWINGS = 5
/** A player needs some seconds until it has caught up. */
const SETTLE_MS = 5000
const agesSchema = z.array(z.number())

type Way = 'webrtc' | 'hls'
const WAYS: { way: Way; label: string; goalMs: number }[] = [
  { way: 'webrtc', label: 'WebRTC', goalMs: 1000 },
  { way: 'hls', label: 'LL-HLS', goalMs: 3000 }
]

/** Clicks the only tile, and gives the time in ms until the first picture moves. */
const CLICK_TO_FIRST_PICTURE = `new Promise((resolve) => {
  const clickedAt = performance.now()
  document.querySelector('[data-testid=source] a').click()
  const look = () => {
    const video = document.querySelector('video')
    if (video) video.requestVideoFrameCallback(() => resolve(performance.now() - clickedAt))
    else requestAnimationFrame(look)
  }
  look()
})`

/** How soon a stream is seen after a click, and how old its pictures are, in Chromium on this machine. */
export async function benchLiveLatency({ quick }: LiveOptions): Promise<PartResult> {
  if (!existsSync(join(import.meta.dirname, '..', 'out/renderer/index.html')))
    throw new Error('the screen is not built. Run: npm run build:web')
  return withLiveDaemon(async (daemon) => {
    const { id, push_url } = await daemon.api.call(createSource, { body: { name: 'Clock', type: 'push' } })
    if (push_url === null) throw new Error('nothing can be sent there')
    const clock = sendBurntClock(push_url)
    const browser = await chromium.launch(playwright.use?.launchOptions ?? {})
    try {
      const params = { sourceId: id }
      await until(async () => (await daemon.api.call(getSourceStatus, { params })).connected)
      const figures: Figure[] = []
      for (const { way, label, goalMs } of WAYS) {
        const firstMs: number[] = []
        const agesMs: number[] = []
        for (let viewing = 0; viewing < (quick ? 1 : VIEWINGS); viewing++) {
          const seen = await view(browser, daemon, way, quick ? 25 : 250)
          firstMs.push(seen.firstMs)
          agesMs.push(...seen.agesMs)
        }
        figures.push(
          { name: `${label}: click to first picture, median`, value: median(firstMs), unit: 'ms' },
          { name: 'the same, slowest', value: Math.max(...firstMs), unit: 'ms', goal: { atMost: 2000 } },
          { name: `${label}: glass to glass, median`, value: median(agesMs), unit: 'ms', goal: { atMost: goalMs } },
          { name: 'the same, p95', value: percentile(agesMs, 0.95), unit: 'ms' }
        )
      }
      return {
        figures,
        notes: [
          'latency: 25 pictures a second with a key frame every second, by RTMP; the time stands in the picture itself and is read',
          `from the video element in Chromium, both on this machine; ${quick ? 1 : VIEWINGS} viewings each, a new page each time`
        ]
      }
    } finally {
      await browser.close()
      await clock.stop()
    }
  })
}

/** Watches the stream once. Throws where it comes another way. */
async function view(
  browser: Browser,
  { admin }: LiveDaemon,
  way: Way,
  pictures: number
): Promise<{ firstMs: number; agesMs: number[] }> {
  const page = await browser.newPage()
  try {
    // The player falls back to HLS by itself.
    if (way === 'hls') await page.route('**/whep', (route) => route.abort())
    await page.goto(`${admin.url}/live#token=${admin.token}`)
    await page.locator('[data-testid=source][data-tone=ok]').waitFor()
    const firstMs = z.number().parse(await page.evaluate(CLICK_TO_FIRST_PICTURE))
    const taken = await page.getByTestId('stream-way').getAttribute('data-way')
    if (taken !== way) throw new Error(`the stream came by ${taken} instead of ${way}`)
    await pause(SETTLE_MS)
    return { firstMs, agesMs: agesSchema.parse(await page.evaluate(readBurntClock(pictures))) }
  } finally {
    await page.close()
  }
}
