import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openDistantStore } from '../src/daemon/testing/distant-store.ts'
import { startTestDaemon, TEST_PILOT_TOKEN } from '../src/daemon/testing/test-daemon.ts'
import { temporaryFolder } from '../src/daemon/testing/test-database.ts'
import { openAdmin } from '../src/demo/admin-access.ts'
import { inspectCatalogue, waitUntilIdle } from '../src/demo/catalogue-check.ts'
import { bucketFromSettings } from '../src/demo/demo-bucket.ts'
import { type CardFile, createPhotoCard } from '../src/demo/photo-card.ts'
import { createPilotApi } from '../src/demo/pilot-api.ts'
import { PilotController } from '../src/demo/pilot-controller.ts'
import { getMedia, listAssets } from '../src/shared/api/assets.ts'
import { getStatus } from '../src/shared/api/system.ts'
import { endpointUrl } from '../src/shared/api-client.ts'

/** How long the store is away. A minute by hand: `FLIGHTCASE_TEST_OUTAGE_S=60`. */
const OUTAGE_MS = Number(process.env['FLIGHTCASE_TEST_OUTAGE_S'] ?? 1) * 1000
/** A command that runs a server of somebody else, which the FLIGHTCASE_S3_* settings name. It is killed and started again. */
const COMMAND = process.env['FLIGHTCASE_TEST_S3_COMMAND']
const PHOTOS = Number(process.env['FLIGHTCASE_TEST_OUTAGE_PHOTOS'] ?? 4)

type Outage = { env: Record<string, string>; begin(): Promise<void> | void; end(): Promise<void> | void }

test(`a store that dies while controllers upload and comes back after ${OUTAGE_MS / 1000} s loses nothing`, async () => {
  const outage = COMMAND === undefined ? await wayToOurs() : await serverOf(COMMAND)
  const bucket = bucketFromSettings({ ...process.env, ...outage.env })
  const daemon = await startTestDaemon({ env: { ...outage.env, ...bucket.env } })
  const admin = openAdmin(daemon.ready.admin)
  const card = await createPhotoCard({ directory: temporaryFolder('card'), count: PHOTOS, seed: 7, previewPx: 320 })
  const identity = (workspaceId: string) => ({
    fieldUrl: daemon.ready.field.url,
    token: TEST_PILOT_TOKEN,
    workspaceId,
    deviceId: 'RC-OUTAGE',
    droneSerial: '1581F000009DEMO',
    droneModelKey: '0-99-0',
    payloadModelKey: '1-88-0',
    photoType: 'original' as const
  })
  const [workspace, second] = bucket.workspaces
  const api = createPilotApi(identity(workspace))

  // It dies in the middle of the card.
  let stored = 0
  let dead: Promise<void> | undefined
  let known: { file: CardFile; objectKey: string } | undefined
  const controller = new PilotController({
    ...identity(workspace),
    onEvent(event) {
      if (event.type === 'uploaded') known ??= event
      if (event.type === 'stored' && ++stored === Math.ceil(card.length / 2)) dead = Promise.resolve(outage.begin())
    }
  })
  onTestFinished(() => controller.close())
  const first = await controller.offer(card)
  expect(first.failed.length).toBeGreaterThan(0)
  expect(first.uploaded.length + first.failed.length).toBe(card.length)
  await dead

  // What Pilot and others are told meanwhile: nothing is "not found".
  const isUp = async () => (await daemon.api.call(getStatus, {})).store.reachable
  await vi.waitFor(async () => expect(await isUp()).toBe(false), 20_000)
  const answers = { known: 0, refused: new Set<string>(), media: new Set<number>() }
  const began = Date.now()
  const [asset] = (await daemon.api.call(listAssets, { query: { limit: 1 } })).items
  do {
    expect(await api.isKnown(known!.file)).toBe(false)
    answers.refused.add(await refusal(() => api.requestGrant()))
    answers.refused.add(await refusal(() => api.reportUpload(known!.file, `${known!.objectKey}.new.JPG`, 0)))
    answers.media.add((await daemon.fetch(endpointUrl(getMedia.path, { params: { assetId: asset!.id } }))).status)
    await pause(200)
  } while (Date.now() - began < OUTAGE_MS)
  expect([...answers.refused].toSorted()).toEqual(['500 sts failed', '502 object check failed'])
  expect([...answers.media]).toEqual([503])
  expect((await daemon.api.call(listAssets, { query: { limit: 500 } })).items).toHaveLength(first.uploaded.length)

  await outage.end()
  await vi.waitFor(async () => expect(await isUp()).toBe(true), { timeout: 60_000, interval: 500 })
  const rest = await controller.offer(card)
  expect(rest.failed).toEqual([])
  // Bytes are kept once, also of what others send.
  const other = new PilotController(identity(second))
  onTestFinished(() => other.close())
  expect((await other.offer(card)).uploaded).toHaveLength(card.length)
  await waitUntilIdle(admin, 180_000)
  const { counts, problems } = await inspectCatalogue(admin, [...card, ...card])
  expect(problems).toEqual([])
  expect(counts).toMatchObject({ assets: 2 * card.length, blobs: card.length })
  expect(await bucket.count()).toMatchObject({ originals: card.length })
  const numbers = { before: first.uploaded.length, failed: first.failed.length, again: rest.uploaded.length, ...counts }
  if (COMMAND !== undefined) console.warn(JSON.stringify({ outageMs: OUTAGE_MS, ...numbers }))
  await bucket.empty()
  bucket.close()
}, 400_000)

/** The status and words of the refusal that a call meets. */
async function refusal(call: () => Promise<unknown>): Promise<string> {
  const error = await call().then(
    () => new Error('accepted'),
    (reason: Error) => reason
  )
  return error.message.replace(/^.*HTTP (\d+), code -?\d+: /, '$1 ')
}

/** Our own endpoint, with a way to it that breaks. */
async function wayToOurs(): Promise<Outage> {
  const { gate, env } = await openDistantStore()
  return { env, begin: () => gate.cut(), end: () => gate.reopen() }
}

async function serverOf(command: string): Promise<Outage> {
  let server: ChildProcess
  const start = async () => {
    server = spawn(command, { shell: true, detached: true, stdio: 'ignore' })
    const { FLIGHTCASE_S3_ENDPOINT: endpoint = '' } = process.env
    await vi.waitFor(() => fetch(endpoint), { timeout: 60_000, interval: 200 })
  }
  const kill = async () => {
    const ended = once(server, 'exit')
    process.kill(-server.pid!, 'SIGKILL')
    await ended
  }
  await start()
  onTestFinished(kill)
  const names = ['ENDPOINT', 'ACCESS_KEY', 'SECRET_KEY', 'BUCKET', 'REGION'].map((name) => `FLIGHTCASE_S3_${name}`)
  const given = names.flatMap((name) => (process.env[name] ? [[name, process.env[name] as string]] : []))
  return { env: { FLIGHTCASE_OBJECT_STORE: 'external', ...Object.fromEntries(given) }, begin: kill, end: start }
}
