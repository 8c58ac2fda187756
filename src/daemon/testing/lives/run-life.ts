import { createHash } from 'node:crypto'
import type { AssetDetail, AssetSummary } from '../../../shared/api/assets.ts'
import type { EndpointHarness } from '../../embedded-store/endpoint/endpoint-harness.ts'
import { ARCHIVE_MS, BIN_MS, faultOf, GRACE_MS, holds, type KnownAsset, learn, type OrphanPolicy } from './model.ts'
import { CONTENTS, type Life, type Operation } from './operations.ts'
import { type Answer, World } from './world.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** After this an upload that began is given up, and its bytes too. */
const UPLOAD_LIFE_MS = 4 * DAY_MS
const TEMPORARY_SECONDS = 20 * 3600

const contents = Array.from({ length: CONTENTS }, (_, n) => Buffer.from(`content ${n} `.repeat(3)))
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
const holderOf = (n: number) => ({ namespace: 'app', owner: `owner-${n}` })

/** Lives one life, with a store of its own or an external one, and throws when anything that must hold does not. */
export async function runLife(life: Life, external: EndpointHarness | null): Promise<void> {
  const world = await World.open(external, {
    FLIGHTCASE_ORPHAN_POLICY: life.orphanPolicy,
    FLIGHTCASE_ARCHIVE_DAYS: String(ARCHIVE_MS / DAY_MS)
  })
  try {
    const run = new LifeRun(world, life.orphanPolicy)
    for (const operation of life.operations) await run.perform(operation)
    await run.settle()
  } finally {
    await world.close()
  }
}

class LifeRun {
  readonly #world: World
  readonly #orphanPolicy: OrphanPolicy
  readonly #known: KnownAsset[] = []

  constructor(world: World, orphanPolicy: OrphanPolicy) {
    this.#world = world
    this.#orphanPolicy = orphanPolicy
  }

  async perform(operation: Operation): Promise<void> {
    const world = this.#world
    switch (operation.do) {
      case 'wait':
        world.clock.advanceMs(operation.hours * HOUR_MS)
        return
      case 'store away':
        return world.setOutage(true)
      case 'store back':
        return world.setOutage(false)
      case 'restart':
        await world.restart()
        return this.#compare()
      case 'die': {
        const { during } = operation
        const touched = during === null ? null : this.#touchedBy(during)
        await world.crashDuring(async () => (during ? await this.#ask(during) : null), operation.ticks)
        await this.#discover()
        return this.#compare(touched)
      }
      default: {
        const touched = this.#touchedBy(operation)
        await this.#ask(operation)
        if (operation.do === 'upload') return this.#discover()
        if (operation.do === 'collect') return this.#compare()
        for (const asset of this.#known) if (touched?.has(asset.id) !== false) await this.#learn(asset)
      }
    }
  }

  /** Time passes until everything that nobody holds must be gone, and everything is looked at. */
  async settle(): Promise<void> {
    const world = this.#world
    world.setOutage(false)
    await world.restart()
    await this.#compare()
    for (const asset of this.#known) await this.#checkBytes(asset)
    for (const ms of [GRACE_MS, UPLOAD_LIFE_MS, ARCHIVE_MS, BIN_MS]) {
      world.clock.advanceMs(ms + HOUR_MS)
      // A start tidies what is due by now, also what failed while the store was away.
      await world.restart()
      await this.#collect()
    }
    const left = this.#known.filter(({ isGone }) => !isGone)
    const binned = left.find(({ binnedAtMs }) => binnedAtMs !== null)
    if (binned) throw new Error(`${binned.id} stays in the bin`)
    const orphan = left.find((asset) => !holds(asset, world.clock.nowMs()))
    if (orphan) throw new Error(`${orphan.id} is held by nothing and stays`)
    await this.#checkAudit()
    await this.#checkStores(new Set(left.map(({ id }) => id)))
  }

  async #collect(): Promise<void> {
    await this.#must(this.#world.request('POST', '/api/v1/gc', {}))
    await this.#world.idle()
    await this.#compare()
    for (const asset of this.#known) await this.#checkBytes(asset)
  }

  /** Does it and hears the answer; null when the base died before. Anything that is no proper answer is an error. */
  async #ask(operation: Operation): Promise<Answer> {
    const answer = await this.#send(operation)
    if (answer === null || answer.status < 500) return answer
    if (answer.status === 503 && this.#world.isStoreAway) return answer
    throw new Error(`${JSON.stringify(operation)} answered ${answer.status} ${JSON.stringify(answer.body)}`)
  }

  #send(operation: Operation): Promise<Answer> {
    const world = this.#world
    switch (operation.do) {
      case 'upload':
        return this.#upload(operation)
      case 'refer':
        return world.request('POST', `/api/v1/assets/${this.#idOf(operation.asset)}/references`, {
          ...holderOf(operation.holder),
          kind: operation.kind,
          ...(operation.kind === 'temporary' ? { expiresInSeconds: TEMPORARY_SECONDS } : {})
        })
      case 'refer to many':
        return world.request('POST', '/api/v1/references/batch', {
          references: operation.assets.map((n) => ({ assetId: this.#idOf(n), ...holderOf(operation.holder) }))
        })
      case 'let go': {
        const ids = [...(this.#pick(operation.asset)?.references.keys() ?? [])]
        const id = ids[operation.reference % ids.length] ?? NOBODY
        return world.request('DELETE', `/api/v1/references/${id}`)
      }
      case 'let go of all':
        return world.request('POST', '/api/v1/references/delete', holderOf(operation.holder))
      case 'delete': {
        const holder = operation.holder === null ? {} : holderOf(operation.holder)
        const query = new URLSearchParams({ guard: String(operation.guard), ...holder })
        return world.request('DELETE', `/api/v1/assets/${this.#idOf(operation.asset)}?${query}`)
      }
      case 'restore':
        return world.request('POST', `/api/v1/assets/${this.#idOf(operation.asset)}/restore`)
      case 'purge':
        return world.request('DELETE', `/api/v1/assets/${this.#idOf(operation.asset)}?permanent=true`)
      case 'empty the bin':
        return world.request('POST', '/api/v1/bin/empty', { before: new Date(world.clock.nowMs()).toISOString() })
      case 'collect':
        return world.request('POST', '/api/v1/gc', { dryRun: operation.isDryRun })
      default:
        throw new Error(`${operation.do} is no call`)
    }
  }

  async #upload({ how, content, holder, isFinished }: Operation & { do: 'upload' }): Promise<Answer> {
    const world = this.#world
    const bytes = contents[content]!
    const fields = { name: `content-${content}.txt`, ...(holder === null ? {} : holderOf(holder)) }
    if (how === 'form') {
      const form = new FormData()
      for (const [name, value] of Object.entries(fields)) form.append(name, value)
      form.append('file', new Blob([bytes as never]), 'file.txt')
      return world.send('POST', '/api/v1/media/upload', form)
    }
    const announced = { ...fields, sizeBytes: bytes.length, ...(content % 2 ? { sha256: sha256(bytes) } : {}) }
    const begun = await world.request('POST', how === 'link' ? '/api/v1/media/presign' : '/api/v1/uploads', announced)
    if (begun?.status !== 200) return begun
    const plan = begun.body as {
      isStored: boolean
      uploadId: string
      uploadUrl: string
      headers: Record<string, string>
    }
    if (plan.isStored) return begun
    const sent =
      how === 'link'
        ? await world.send('PUT', plan.uploadUrl, bytes, plan.headers)
        : await world.send('PUT', `/api/v1/uploads/${plan.uploadId}/parts/1`, bytes)
    if (sent?.status !== 200 || !isFinished) return sent
    return world.request('POST', `/api/v1/uploads/${plan.uploadId}/complete`)
  }

  /** Which of the known assets a call may change; null: any. */
  #touchedBy(operation: Operation): Set<string> | null {
    switch (operation.do) {
      case 'upload':
      case 'collect':
        return new Set()
      case 'refer to many':
        return new Set(operation.assets.map((n) => this.#idOf(n)))
      case 'let go of all':
      case 'empty the bin':
        return null
      default:
        return new Set('asset' in operation ? [this.#idOf(operation.asset)] : [])
    }
  }

  /** Learns of assets that came, also by an upload whose answer was never heard. */
  async #discover(): Promise<void> {
    const nowMs = this.#world.clock.nowMs()
    for (const bin of ['false', 'true']) {
      const { items } = await this.#must<{ items: AssetSummary[] }>(
        this.#world.request('GET', `/api/v1/assets?limit=200&bin=${bin}`)
      )
      for (const { id, name } of items) {
        if (this.#known.some((asset) => asset.id === id)) continue
        const content = Number(/content-(\d)/.exec(name)![1])
        const asset = { id, content, references: new Map(), binnedAtMs: null, isGone: false, heldUntilMs: nowMs }
        this.#known.push(asset)
        await this.#learn(asset)
      }
    }
  }

  /** Every asset is what it was, but for those that were asked to change and for what time does; then it is known anew. */
  async #compare(touched: Set<string> | null = new Set()): Promise<void> {
    const nowMs = this.#world.clock.nowMs()
    for (const asset of this.#known) {
      const before = structuredClone(asset)
      const truth = await this.#learn(asset)
      const fault = touched?.has(asset.id) === false ? faultOf(before, truth, nowMs, this.#orphanPolicy) : null
      if (fault) throw new Error(`${asset.id} ${fault}: ${JSON.stringify({ before, truth })}`)
    }
  }

  async #learn(asset: KnownAsset): Promise<AssetDetail | null> {
    const truth = await this.#truthOf(asset.id)
    learn(asset, truth, this.#world.clock.nowMs())
    return truth
  }

  async #truthOf(assetId: string): Promise<AssetDetail | null> {
    const answer = await this.#world.request('GET', `/api/v1/assets/${assetId}`)
    return answer?.status === 404 ? null : await this.#must(Promise.resolve(answer))
  }

  async #checkBytes({ id, content, isGone }: KnownAsset): Promise<void> {
    if (isGone) return
    const bytes = await this.#must<Buffer>(this.#world.request('GET', `/media/${id}`))
    if (!bytes.equals(contents[content]!)) throw new Error(`${id} has other bytes`)
  }

  async #checkAudit(): Promise<void> {
    const verdict = await this.#must<{ isIntact: boolean }>(this.#world.request('GET', '/api/v1/audit/verify'))
    if (!verdict.isIntact) throw new Error(`the audit chain is broken: ${JSON.stringify(verdict)}`)
  }

  /** Rows count what they should, and the store holds what rows name and nothing else. */
  async #checkStores(left: Set<string>): Promise<void> {
    await this.#world.inspect((catalogue, storedKeys) => {
      const ids = (sql: string) =>
        catalogue
          .prepare<unknown[], { id: string }>(sql)
          .all()
          .map(({ id }) => id)
      const assets = ids('SELECT id FROM asset')
      if (assets.length !== left.size || !assets.every((id) => left.has(id))) throw new Error(`assets left: ${assets}`)
      const miscounted = ids(
        `SELECT id FROM asset WHERE ref_count <>
           (SELECT count(*) FROM reference WHERE asset_id = asset.id AND kind = 'strong')`
      )
      if (miscounted.length > 0) throw new Error(`wrong counts: ${miscounted}`)
      const needed = new Set(
        ids(
          'SELECT key AS id FROM blob UNION SELECT key FROM rendition UNION SELECT key FROM remote_media WHERE key IS NOT NULL'
        )
      )
      const lost = [...needed].filter((key) => !storedKeys.has(key))
      const leaked = [...storedKeys].filter((key) => !needed.has(key))
      if (lost.length + leaked.length > 0) throw new Error(`objects lost: ${lost}; objects leaked: ${leaked}`)
    })
  }

  async #must<T>(asked: Promise<Answer>): Promise<T> {
    const answer = await asked
    if (answer === null || answer.status !== 200) throw new Error(`unexpected answer ${JSON.stringify(answer)}`)
    return answer.body as T
  }

  #pick(n: number): KnownAsset | undefined {
    return this.#known[n % this.#known.length]
  }

  #idOf(n: number): string {
    return this.#pick(n)?.id ?? NOBODY
  }
}

/** The id of no asset and no reference. */
const NOBODY = '00000000000000000000000000'
