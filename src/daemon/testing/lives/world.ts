import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause, setImmediate as tick } from 'node:timers/promises'
import Sqlite from 'better-sqlite3'
import { pino } from 'pino'
import type { GcRun } from '../../../shared/api/lifecycle.ts'
import type { ReadyInfo } from '../../../shared/ready.ts'
import { loadConfig } from '../../config/load.ts'
import { createDaemon, type Daemon } from '../../daemon.ts'
import { STORE_OWNER } from '../../embedded-store/credentials/identity-service.ts'
import type { EndpointHarness } from '../../embedded-store/endpoint/endpoint-harness.ts'
import { storeSettings } from '../distant-store.ts'
import { ManualClock } from '../manual-clock.ts'
import { TcpGate } from '../tcp-gate.ts'

/** Null: the daemon died before its answer came. */
export type Answer = { status: number; body: unknown; headers: Headers } | null

interface Running {
  daemon: Daemon
  ready: ReadyInfo
  gate: TcpGate | null
  dataDir: string
  /** Aborted when the daemon dies: nobody hears what it says after that. */
  life: AbortController
}

/** What the store holds, or would go on holding. */
export interface StoreContent {
  /** All but those by which a store of others is known. */
  keys: Set<string>
  /** Uploads in parts that were neither completed nor aborted, beyond one for each death: it may come before anybody knows the upload. */
  forgottenUploadTotal: number
}

/** After so many turns of the event loop, or already in the turn of the last of so many commits to the catalogue. */
export interface Moment {
  turns: number
  commits: number
}

let worlds = 0
/** One start after the other takes the next one. */
const PREFIXES = ['', 'tenant-a/media', '']

/**
 * A whole daemon on a clock that stands still, beside its own store or an external one, which can die and come back. Its death
 * is what the disk holds at that instant: the data folder is copied between two turns of the event loop, every connection is
 * cut, and another daemon begins on the copy.
 */
export class World {
  readonly clock = new ManualClock(Date.now())
  readonly #root = mkdtempSync(join(tmpdir(), 'flightcase-life-'))
  readonly #external: EndpointHarness | null
  readonly #settings: Record<string, string>
  readonly #bucket = `media-${++worlds}`
  readonly #dying: Promise<unknown>[] = []
  /** Those that starts made until now. */
  readonly #collections = new Set<string>()
  #folders = 0
  #starts = 0
  #running!: Running

  private constructor(external: EndpointHarness | null, settings: Record<string, string>) {
    this.#external = external
    this.#settings = settings
  }

  /** With an external store when there is one; `settings` by their names in the environment. */
  static async open(external: EndpointHarness | null, settings: Record<string, string>): Promise<World> {
    const world = new World(external, settings)
    await external?.engine.createBucket({ name: world.#bucket, owner: STORE_OWNER })
    await world.#start(world.#newFolder())
    return world
  }

  /** Calls an operation of the admin listener. */
  request(method: string, path: string, body?: unknown): Promise<Answer> {
    const json =
      body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
    return this.#fetch(this.#running.ready.admin.url + path, { method, ...json })
  }

  /** Sends a form or bytes: to the admin listener, or to a link of the store. */
  send(
    method: string,
    url: string,
    body: FormData | Buffer | undefined,
    headers: Record<string, string> = {}
  ): Promise<Answer> {
    const target = url.startsWith('/') ? this.#running.ready.admin.url + url : url
    return this.#fetch(target, { method, body: (body ?? null) as NonNullable<RequestInit['body']> | null, headers })
  }

  /** The store cannot be reached from now on, or can again. One of our own is always there. */
  setOutage(isAway: boolean): void {
    if (isAway) this.#running.gate?.cut()
    else this.#running.gate?.reopen()
  }

  get isStoreAway(): boolean {
    return this.#running.gate?.isOpen === false
  }

  idle(): Promise<void> {
    return this.#running.daemon.idle()
  }

  /** Stops as one should, and starts again. */
  async restart(): Promise<void> {
    await this.#running.daemon.stop()
    await this.#running.gate?.close()
    await this.#start(this.#running.dataDir)
  }

  /** Begins `work`, and dies at a moment in the middle of it. Gives what was answered before. */
  async crashDuring<T>(work: () => Promise<T>, { turns, commits }: Moment): Promise<T> {
    const catalogue = new Sqlite(join(this.#running.dataDir, 'flightcase.db'), { readonly: true })
    const versionOf = () => catalogue.pragma('data_version', { simple: true })
    const answer = work()
    for (let turn = 0, left = commits, seen = versionOf(); turn < turns && left > 0; turn++) {
      await tick()
      const now = versionOf()
      if (now !== seen) left--
      seen = now
    }
    const { daemon, gate, dataDir, life } = this.#running
    const copy = this.#newFolder()
    copyFolder(dataDir, copy)
    catalogue.close()
    life.abort()
    gate?.cut()
    this.#dying.push(daemon.stop().then(() => gate?.close()))
    const before = await answer
    await this.#start(copy)
    return before
  }

  /** Ends everything, and gives what the catalogue and the store hold then. */
  async inspect(look: (catalogue: Sqlite.Database, store: StoreContent) => void): Promise<void> {
    await this.#running.daemon.stop()
    const { dataDir, ready } = this.#running
    const catalogue = new Sqlite(join(dataDir, 'flightcase.db'), { readonly: true })
    const index = new Sqlite(join(this.#external?.directory ?? join(dataDir, 'store'), 'index.db'), { readonly: true })
    const keysIn = (table: 'object' | 'upload') =>
      index
        .prepare<unknown[], { key: string }>(
          `SELECT CAST(key AS TEXT) AS key FROM ${table} JOIN bucket ON bucket.id = bucket_id WHERE bucket.name = ?`
        )
        .all(this.#external ? this.#bucket : ready.s3.bucket)
        .map(({ key }) => key)
        .filter((key) => !key.endsWith('.flightcase/store-id'))
    try {
      const forgottenUploadTotal = Math.max(0, keysIn('upload').length - this.#dying.length)
      look(catalogue, { keys: new Set(keysIn('object')), forgottenUploadTotal })
    } finally {
      catalogue.close()
      index.close()
    }
  }

  async close(): Promise<void> {
    await this.#running.daemon.stop()
    await this.#running.gate?.close()
    await Promise.all(this.#dying)
    rmSync(this.#root, { recursive: true, force: true })
  }

  async #fetch(url: string, init: RequestInit): Promise<Answer> {
    const { life, ready } = this.#running
    try {
      const isOurs = url.startsWith(ready.admin.url)
      const authorization = isOurs ? { authorization: `Bearer ${ready.admin.token}` } : {}
      const response = await fetch(url, {
        ...init,
        headers: { ...(init.headers as Record<string, string>), ...authorization },
        signal: life.signal
      })
      const bytes = Buffer.from(await response.arrayBuffer())
      const isJson = /json/.test(response.headers.get('content-type') ?? '')
      const text = isJson ? bytes.toString() : ''
      return {
        status: response.status,
        body: text === '' ? bytes : (JSON.parse(text) as unknown),
        headers: response.headers
      }
    } catch (error) {
      if (life.signal.aborted) return null
      // A link leads to the store itself, which may be away.
      if (this.isStoreAway && !url.startsWith(ready.admin.url))
        return { status: 503, body: null, headers: new Headers() }
      throw error
    }
  }

  async #start(dataDir: string): Promise<void> {
    const external = this.#external
    const gate = external && (await TcpGate.open(external.port))
    const config = loadConfig({
      flags: { dataDir, field: '127.0.0.1:0', admin: '127.0.0.1:0', s3: '127.0.0.1:0', mqtt: '127.0.0.1:0' },
      env: {
        ...this.#settings,
        FLIGHTCASE_BUCKET_ROOT_PREFIX: PREFIXES[this.#starts++ % PREFIXES.length]!,
        ...(external && gate && { ...storeSettings(external, gate), FLIGHTCASE_S3_BUCKET: this.#bucket })
      }
    })
    const daemon = await createDaemon(config, {
      log: pino({ level: 'silent' }),
      clock: this.clock,
      checkResponses: true
    })
    this.#running = { daemon, ready: await daemon.start(), gate, dataDir, life: new AbortController() }
    await this.#untilCollected()
  }

  /** A start collects, sooner or later; waits for it, because after that nothing goes by itself. */
  async #untilCollected(): Promise<void> {
    for (;;) {
      const answer = await this.request('GET', '/api/v1/gc/reports')
      const { items } = answer!.body as { items: GcRun[] }
      const own = items.find(({ id, actor }) => actor.id.startsWith('system:') && !this.#collections.has(id))
      if (own) return void this.#collections.add(own.id)
      await pause(5)
    }
  }

  #newFolder(): string {
    const folder = join(this.#root, String(++this.#folders))
    mkdirSync(folder)
    return folder
  }
}

/** What another process would find. Reading a lock file would end the lock, and SQLite makes its shared memory anew. */
function copyFolder(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) {
      mkdirSync(target)
      copyFolder(source, target)
    } else if (!/(-shm|\.lock)$/.test(entry.name)) copyIfThere(source, target)
  }
}

/** Other threads rename files meanwhile; no row speaks of those yet. */
function copyIfThere(source: string, target: string): void {
  try {
    copyFileSync(source, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
