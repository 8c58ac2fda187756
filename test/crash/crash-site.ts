import { createHash, randomFillSync } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { GetObjectCommand, paginateListObjectsV2, S3Client } from '@aws-sdk/client-s3'
import { type AdminAccess, everyItem, openAdmin } from '../../src/demo/admin-access.ts'
import { waitUntilIdle } from '../../src/demo/catalogue-check.ts'
import { type DaemonProcess, launchDaemon } from '../../src/demo/daemon-process.ts'
import { type CardFile, createPhotoCard, tinyFingerprint } from '../../src/demo/photo-card.ts'
import { createPilotApi, type PilotIdentity, type StorageGrant } from '../../src/demo/pilot-api.ts'
import { PilotController } from '../../src/demo/pilot-controller.ts'
import { type SeededRandom, seededRandom } from '../../src/demo/seeded-random.ts'
import { getMedia, listAssets } from '../../src/shared/api/assets.ts'
import { createToken } from '../../src/shared/api/system.ts'
import { endpointUrl } from '../../src/shared/api-client.ts'
import type { ReadyInfo } from '../../src/shared/ready.ts'

const WORKSPACE = 'b0e7f0a4-6c55-4d0a-9a51-90c5c1f3a7d2'
const CONTROLLERS = 3
const PHOTOS_PER_OFFER = 5
const MIB = 1024 * 1024
const VIDEO_BYTES = 6 * MIB
/** An offer of all controllers makes about this many events; a kill follows a random one of them, or comes a bit later. */
const EVENTS_PER_OFFER = 330
const JITTER_MS = 30
/** With the uploads done, jobs run for about this long. */
const JOBS_WINDOW_MS = 800
const START_WINDOW_MS = 700

type Templates = { photos: Buffer[]; video: Buffer }
type Offered = {
  file: CardFile
  sha256: string
  objectKey?: string
  stored: boolean
  reported: boolean
  failure?: string
}
type Remote = { identity: PilotIdentity; controller: PilotController; files: Offered[] }

/**
 * One data directory that daemons are killed on, again and again, and the controllers that upload to it. What a
 * controller was told (the store's 200, the callback's code 0) is kept here and held against what is found later.
 */
export class CrashSite {
  readonly #directory: string
  readonly #templates: Templates
  #daemon: DaemonProcess | undefined
  #ports: string[] = []
  #remotes: Remote[] = []
  #onEvent: () => void = () => {}

  static async prepare(directory: string): Promise<CrashSite> {
    const folder = join(directory, 'templates')
    const card = await createPhotoCard({ directory: folder, count: 4, seed: 7, megapixels: 0.3, previewPx: 160 })
    const bytes = await Promise.all(card.map((file) => readFile(file.filePath)))
    const clip = bytes.pop() ?? Buffer.alloc(0)
    const filler = Buffer.alloc(VIDEO_BYTES - clip.length)
    randomFillSync(filler)
    filler.writeUInt32BE(filler.length, 0)
    filler.write('free', 4, 'latin1')
    return new CrashSite(directory, { photos: bytes, video: Buffer.concat([clip, filler]) })
  }

  private constructor(directory: string, templates: Templates) {
    this.#directory = directory
    this.#templates = templates
  }

  /** Uploads, kills the daemon, restarts it and checks. Gives a line about it and what was wrong. */
  async run(seed: number, run: number): Promise<{ story: string; problems: string[] }> {
    const random = seededRandom(seed, `run ${run}`)
    const story: string[] = []
    try {
      if (!this.#daemon) {
        if (random.next() < 0.5) story.push(await this.#killDuringStart(random))
        await this.#start()
      }
      story.push(await this.#killDuringUploads(random, run))
      if (random.next() < 0.25) story.push(await this.#killDuringStart(random))
      return { story: story.join(', '), problems: await this.#verify(await this.#start()) }
    } catch (error) {
      const problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
      return { story: story.join(', '), problems: [problem] }
    }
  }

  async close(): Promise<void> {
    for (const { controller } of this.#remotes) controller.close()
    await this.#daemon?.kill()
  }

  async #killDuringStart(random: SeededRandom): Promise<string> {
    this.#launch()
    const afterMs = random.integer(0, START_WINDOW_MS)
    await Promise.race([pause(afterMs), this.#daemon?.ended])
    await this.#daemon?.kill()
    return `killed ${afterMs} ms after the start`
  }

  async #killDuringUploads(random: SeededRandom, run: number): Promise<string> {
    const before = this.#acknowledged()
    const offers = Promise.all(
      this.#remotes.map(async (remote, index) => {
        const files = await this.#makeFiles(remote, index, run)
        await remote.controller.offer(files)
      })
    )
    const at = random.integer(0, EVENTS_PER_OFFER)
    const jitterMs = random.integer(0, JITTER_MS)
    const jobsMs = random.integer(0, JOBS_WINDOW_MS)
    const moment = await Promise.race([
      this.#eventNumber(at).then(() => pause(jitterMs, `at event ${at} of the uploads`)),
      offers.then(() => pause(jobsMs, `${jobsMs} ms after the uploads`))
    ])
    await this.#daemon?.kill()
    await offers
    const after = this.#acknowledged()
    const stored = after.stored - before.stored
    return `killed ${moment}, ${stored} files stored, ${after.reported - before.reported} of them reported`
  }

  /** Resolves at the n-th event from now that any controller tells. */
  #eventNumber(n: number): Promise<void> {
    return new Promise((resolve) => {
      let count = 0
      this.#onEvent = () => {
        if (count++ === n) resolve()
      }
    })
  }

  #acknowledged() {
    const files = this.#remotes.flatMap((remote) => remote.files)
    return {
      stored: files.filter((file) => file.stored).length,
      reported: files.filter((file) => file.reported).length
    }
  }

  /** The same ports every time, as a controller knows one address only. */
  #launch(): void {
    this.#daemon = launchDaemon({ dataDir: join(this.#directory, 'data'), args: this.#ports })
  }

  async #start(): Promise<ReadyInfo> {
    this.#launch()
    const ready = await this.#daemon!.ready
    if (this.#remotes.length === 0) {
      this.#ports = ['--field', new URL(ready.field.url).host, '--s3', new URL(ready.s3.url).host]
      for (let index = 0; index < CONTROLLERS; index++)
        this.#remotes.push(await pair(ready, index, () => this.#onEvent()))
    }
    return ready
  }

  /** Holds what is there against what was acknowledged, then lets the controllers finish what was broken off. */
  async #verify(ready: ReadyInfo): Promise<string[]> {
    const admin = openAdmin(ready.admin)
    const problems: string[] = []
    for (const remote of this.#remotes) problems.push(...(await verifyRemote(remote)))
    await waitUntilIdle(admin)
    const checked = new Set<string>()
    problems.push(...(await this.#verifyCatalogue(admin, checked)))
    if (problems.length > 0) return problems
    for (const remote of this.#remotes) {
      const open = remote.files.filter((each) => !each.reported)
      const { failed, cut } = await remote.controller.offer(open.map((each) => each.file))
      const undone = new Set([...failed, ...cut])
      for (const { file, failure } of open.filter((each) => undone.has(each.file)))
        problems.push(`${file.name}: could not be uploaded after the restart: ${failure}`)
    }
    await waitUntilIdle(admin)
    problems.push(...(await this.#verifyCatalogue(admin, checked)))
    return problems
  }

  /**
   * Every asset has the bytes of a file that was offered, and every reported file is an asset. The bytes of assets in
   * `checked` are not read again; those that were read are added to it.
   */
  async #verifyCatalogue(admin: AdminAccess, checked: Set<string>): Promise<string[]> {
    const problems: string[] = []
    const offered = new Map(this.#remotes.flatMap((remote) => remote.files).map((each) => [each.file.name, each]))
    const found = new Set<string>()
    for await (const asset of everyItem((cursor) => admin.api.call(listAssets, { query: { limit: 500, cursor } }))) {
      if (!checked.has(asset.id)) {
        const digest = await admin.sha256(endpointUrl(getMedia.path, { params: { assetId: asset.id } })).catch(String)
        if (digest !== offered.get(asset.name)?.sha256) problems.push(`asset ${asset.name}: wrong bytes (${digest})`)
        checked.add(asset.id)
      }
      if (found.has(asset.name)) problems.push(`asset ${asset.name} is there twice`)
      found.add(asset.name)
    }
    for (const [name, each] of offered)
      if (each.reported && !found.has(name)) problems.push(`${name}: reported with success, no asset`)
    return problems
  }

  async #makeFiles(remote: Remote, index: number, run: number): Promise<CardFile[]> {
    const folder = join(this.#directory, 'cards', String(index))
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder, { recursive: true })
    const made: CardFile[] = []
    for (let at = 0; at <= PHOTOS_PER_OFFER; at++) {
      // The video comes early for one controller and late for the others, so that kills hit it everywhere.
      const isVideo = at === (index === 0 ? 0 : PHOTOS_PER_OFFER - index)
      const template = isVideo ? this.#templates.video : this.#templates.photos[at % this.#templates.photos.length]
      const stamp = `${run}-${index}-${at}`
      const bytes = Buffer.concat([template ?? Buffer.alloc(0), isVideo ? freeBox(stamp) : Buffer.from(stamp)])
      const counter = String(run * 10 + at).padStart(4, '0')
      const name = `DJI_2025061409300${index}_${counter}_V.${isVideo ? 'MP4' : 'JPG'}`
      const filePath = join(folder, name)
      await writeFile(filePath, bytes)
      const md5 = createHash('md5').update(bytes).digest('hex')
      const file: CardFile = {
        filePath,
        name,
        sizeBytes: bytes.length,
        fingerprint: md5.toUpperCase(),
        tinyFingerprint: tinyFingerprint(md5, '2025-06-14T09:30:00'),
        capturedAt: '2025-06-14T09:30:00+08:00',
        metadata: {
          created_time: '2025-06-14T09:30:00+08:00',
          absolute_altitude: 120,
          relative_altitude: 100,
          gimbal_yaw_degree: 0,
          shoot_position: { lat: 22.5, lng: 113.9 }
        }
      }
      const sha256 = createHash('sha256').update(bytes).digest('hex')
      remote.files.push({ file, sha256, stored: false, reported: false })
      made.push(file)
    }
    return made
  }
}

async function pair(ready: ReadyInfo, index: number, onEvent: () => void): Promise<Remote> {
  const { secret } = await openAdmin(ready.admin).api.call(createToken, {
    body: { name: `crash ${index}`, role: 'controller' }
  })
  const identity: PilotIdentity = {
    fieldUrl: ready.field.url,
    token: secret,
    workspaceId: WORKSPACE,
    deviceId: `CRASH-${index}`,
    droneSerial: `1581F00010${index}DEMO`,
    droneModelKey: '0-99-0',
    payloadModelKey: '1-88-0',
    photoType: 'original'
  }
  const files: Offered[] = []
  const controller = new PilotController({
    ...identity,
    framing: index === 1 ? 'checksum-trailer' : 'signed-chunks',
    multipartFromBytes: 5 * MIB,
    onEvent: (event) => {
      onEvent()
      const each = files.find((candidate) => candidate.file === event.file)
      if (!each) return
      if (event.type === 'stored') Object.assign(each, { stored: true, objectKey: event.objectKey })
      if (event.type === 'uploaded' || event.type === 'skipped') each.reported = true
      if (event.type === 'failed') each.failure = event.reason
    }
  })
  return { identity, controller, files }
}

/** What one controller was promised: stored objects are whole, reported files are known, nothing half-written shows. */
async function verifyRemote({ identity, files }: Remote): Promise<string[]> {
  const problems: string[] = []
  const api = createPilotApi(identity)
  const grant = await api.requestGrant()
  const s3 = openStore(grant)
  try {
    for (const { file, sha256, stored, reported, objectKey } of files) {
      if (stored) {
        const digest = await digestOf(s3, grant.bucket, objectKey ?? '').catch(String)
        if (digest !== sha256) problems.push(`${file.name}: the store answered 200, and now it has: ${digest}`)
      }
      if (reported && !(await api.isKnown(file))) problems.push(`${file.name}: reported, but not known any more`)
    }
    const sizes = new Map(files.map(({ file }) => [file.name, file.sizeBytes]))
    const pages = paginateListObjectsV2({ client: s3 }, { Bucket: grant.bucket, Prefix: `${grant.object_key_prefix}/` })
    for await (const page of pages)
      for (const { Key = '', Size } of page.Contents ?? []) {
        const expected = sizes.get(Key.slice(Key.lastIndexOf('/') + 1))
        if (expected !== undefined && expected !== Size)
          problems.push(`${Key}: ${Size} of ${expected} bytes are visible`)
      }
  } finally {
    s3.destroy()
  }
  return problems
}

function openStore(grant: StorageGrant): S3Client {
  return new S3Client({
    endpoint: grant.endpoint,
    region: grant.region,
    forcePathStyle: true,
    credentials: {
      accessKeyId: grant.credentials.access_key_id,
      secretAccessKey: grant.credentials.access_key_secret,
      sessionToken: grant.credentials.security_token
    }
  })
}

async function digestOf(s3: S3Client, bucket: string, key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }))
  return createHash('sha256')
    .update(await Body!.transformToByteArray())
    .digest('hex')
}

/** A box that players skip (ISO/IEC 14496-12 §8.1.2), to make copies of a video distinct. */
function freeBox(text: string): Buffer {
  const box = Buffer.alloc(8 + text.length)
  box.writeUInt32BE(box.length, 0)
  box.write(`free${text}`, 4, 'latin1')
  return box
}
