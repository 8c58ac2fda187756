import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { z } from 'zod'
import { collectGarbage } from '../../shared/api/lifecycle.ts'
import { createReference } from '../../shared/api/references.ts'
import { ManualClock } from '../testing/manual-clock.ts'
import { dronePhoto } from '../testing/photos.ts'
import { startTestDaemon, type TestDaemon } from '../testing/test-daemon.ts'

async function upload(base: TestDaemon, bytes: Uint8Array): Promise<string> {
  const form = new FormData()
  form.append('file', new Blob([bytes as never]), 'a.jpg')
  const answer = await base.fetch('/api/v1/media/upload', { method: 'POST', body: form })
  return z.object({ asset: z.object({ id: z.string() }) }).parse(await answer.json()).asset.id
}

/** The samples of a scrape by name and labels, as Prometheus writes them. */
async function scrape(base: TestDaemon): Promise<Map<string, number>> {
  const answer = await base.fetch('/metrics')
  expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))])
  )
}

test('what happens to media is counted, and what is there is told, under the names that are promised', async () => {
  const clock = new ManualClock()
  const base = await startTestDaemon({ overrides: { clock } })
  const photo = await dronePhoto()
  const held = await upload(base, photo)
  await upload(base, photo)
  await base.api.call(createReference, { params: { assetId: held }, body: { namespace: 'app' } })
  clock.advanceMs(25 * 3_600_000)
  await base.api.call(collectGarbage, { body: {} })
  await base.daemon.idle()
  await vi.waitFor(async () => expect((await scrape(base)).get('media_cleanup_total{action="binned"}')).toBe(1))
  const samples = await scrape(base)
  expect(Object.fromEntries(samples)).toMatchObject({
    media_upload_total: 2,
    media_deduplicated_total: 1,
    'media_reference_total{change="added"}': 1,
    media_storage_used_bytes: 2 * photo.length,
    media_unreferenced_assets: 0,
    media_cleanup_queue_length: 0,
    'media_jobs{state="dead"}': 0,
    'media_upload_duration_seconds_count{operation="uploadMedia"}': 2,
    'media_transcode_duration_seconds_count{job="renditions.make",outcome="done"}': 2
  })
  const requests = 'http_server_request_duration_seconds_count'
  expect(samples.get(`${requests}{listener="admin",operation="createReference",method="POST",status="200"}`)).toBe(1)
})

test('made up addresses do not make up numbers, and numbers are for those who may look', async () => {
  const base = await startTestDaemon()
  for (let n = 0; n < 5; n++) await base.fetch(`/api/v1/nothing-${n}`)
  await base.daemon.idle()
  const names = [...(await scrape(base)).keys()].filter((name) => /request_duration_seconds_count.*404/.test(name))
  expect(names).toHaveLength(1)
  expect((await fetch(`${base.ready.admin.url}/metrics`)).status).toBe(401)
  expect((await fetch(`${base.ready.admin.url}/health/live`)).status).toBe(200)
  expect(await (await fetch(`${base.ready.admin.url}/health/ready`)).json()).toEqual({ status: 'ready' })
})

test('a program without its store is alive and not ready', async () => {
  const gone = {
    FLIGHTCASE_S3_ENDPOINT: 'http://127.0.0.1:9',
    FLIGHTCASE_S3_ACCESS_KEY: 'a',
    FLIGHTCASE_S3_SECRET_KEY: 'b'
  }
  const base = await startTestDaemon({ env: { FLIGHTCASE_OBJECT_STORE: 'external', ...gone } })
  expect((await base.fetch('/health/live')).status).toBe(200)
  const answer = await base.fetch('/health/ready')
  expect([answer.status, await answer.json()]).toMatchObject([503, { code: 'store_unreachable' }])
})

test('a collector gets requests, what they ask of the store, jobs, and all numbers', async () => {
  const spans: { name: string; traceId: string; parentSpanId?: string | undefined }[] = []
  const metrics = new Set<string>()
  const collector = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = JSON.parse(Buffer.concat(chunks).toString())
    if (request.url === '/v1/traces') spans.push(...spansOf(body))
    else for (const name of metricsOf(body)) metrics.add(name)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  })
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void collector.close())
  const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`
  const base = await startTestDaemon({ env: { FLIGHTCASE_OTLP_ENDPOINT: url } })
  const traceId = '0af7651916cd43dd8448eb211c80319c'
  const assetId = await upload(base, await dronePhoto())
  await base.daemon.idle()
  await (
    await base.fetch(`/media/${assetId}`, { headers: { traceparent: `00-${traceId}-b7ad6b7169203331-01` } })
  ).arrayBuffer()
  await base.daemon.stop()

  const asked = spans.find(({ name }) => name === 'getMedia')!
  expect(asked).toMatchObject({ traceId, parentSpanId: 'b7ad6b7169203331' })
  expect(spans.some(({ name, traceId: of }) => name.startsWith('store.') && of === traceId)).toBe(true)
  expect(spans.some(({ name }) => name === 'renditions.make')).toBe(true)
  expect([...metrics]).toContain('media_upload_total')
})

const traceSchema = z.object({
  resourceSpans: z.array(
    z.object({
      scopeSpans: z.array(
        z.object({
          spans: z.array(z.object({ name: z.string(), traceId: z.string(), parentSpanId: z.string().optional() }))
        })
      )
    })
  )
})
const spansOf = (body: unknown) =>
  traceSchema.parse(body).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))

const metricSchema = z.object({
  resourceMetrics: z.array(
    z.object({ scopeMetrics: z.array(z.object({ metrics: z.array(z.object({ name: z.string() })) })) })
  )
})
const metricsOf = (body: unknown) =>
  metricSchema
    .parse(body)
    .resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics.map(({ name }) => name))
    )
