import { openAdmin } from '../src/demo/admin-access.ts'
import { launchDaemon } from '../src/demo/daemon-process.ts'
import { listAssets } from '../src/shared/api/assets.ts'
import { seededData } from './million.ts'
import { type BenchResult, median, percentile } from './report.ts'

const STARTS = 7
const PAGE = 100

/** How long `serve` takes to be ready, and how fast asset pages are read, with a million assets. */
export async function benchStartup({ quick }: { quick: boolean }): Promise<BenchResult> {
  const { dataDir, count } = await seededData(quick ? 20_000 : 1_000_000)
  const deepPage = quick ? 100 : 5000
  const startMs: number[] = []
  for (let start = 0; start < STARTS; start++) {
    const startedAt = performance.now()
    const daemon = launchDaemon({ dataDir })
    await daemon.ready
    startMs.push(performance.now() - startedAt)
    await daemon.stop()
  }
  const daemon = launchDaemon({ dataDir })
  try {
    const { admin } = await daemon.ready
    const headers = { authorization: `Bearer ${admin.token}` }
    const page = async (query: string) => {
      const startedAt = performance.now()
      const answer = await fetch(`${admin.url}/api/v1/assets?${query}`, { headers })
      const text = await answer.text()
      const tookMs = performance.now() - startedAt
      if (answer.status !== 200) throw new Error(`the asset list answered ${answer.status}: ${text}`)
      return { tookMs, page: listAssets.response.parse(JSON.parse(text)) }
    }
    const repeat = async (query: string) => {
      for (let warm = 0; warm < 20; warm++) await page(query)
      const tookMs: number[] = []
      for (let call = 0; call < 300; call++) tookMs.push((await page(query)).tookMs)
      return tookMs
    }
    const cold = (await page(`limit=${PAGE}`)).tookMs
    const first = await repeat(`limit=${PAGE}`)
    const cursor = await cursorAfter(admin, (deepPage - 1) * PAGE)
    const deep = await repeat(`limit=${PAGE}&cursor=${encodeURIComponent(cursor)}`)
    const filtered = await repeat(`limit=${PAGE}&kind=image`)
    return {
      bench: 'startup',
      figures: [
        { name: 'serve to ready, median', value: median(startMs) / 1000, unit: 's', goal: { atMost: 1.5 } },
        { name: 'serve to ready, slowest', value: Math.max(...startMs) / 1000, unit: 's' },
        { name: 'first page after the start', value: cold, unit: 'ms' },
        { name: 'first page, p50', value: median(first), unit: 'ms' },
        { name: 'first page, p95', value: percentile(first, 0.95), unit: 'ms', goal: { atMost: 15 } },
        { name: `page ${deepPage}, p50`, value: median(deep), unit: 'ms' },
        { name: `page ${deepPage}, p95`, value: percentile(deep, 0.95), unit: 'ms', goal: { atMost: 15 } },
        { name: 'first page of one kind, p95', value: percentile(filtered, 0.95), unit: 'ms' }
      ],
      notes: [
        `${count} assets; ${STARTS} starts from the sources (no bundle); pages of ${PAGE}, 300 calls each, one at a time`
      ]
    }
  } finally {
    await daemon.stop()
  }
}

/** The cursor that stands after `count` assets, found by reading all pages before it. */
async function cursorAfter(admin: { url: string; token: string }, count: number): Promise<string> {
  const { api } = openAdmin(admin)
  let cursor: string | undefined
  for (let seen = 0; seen < count; ) {
    const limit = Math.min(500, count - seen)
    const page = await api.call(listAssets, { query: { limit, cursor } })
    seen += page.items.length
    cursor = page.nextCursor ?? undefined
    if (!cursor) break
  }
  if (!cursor) throw new Error(`there are no ${count} assets to page through`)
  return cursor
}
