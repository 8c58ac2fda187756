import type { AssetDetail, AssetSummary } from '../../../shared/api/assets.ts'
import type { QuarantineEntry } from '../../../shared/api/delivery.ts'
import type { EndpointHarness } from '../../embedded-store/endpoint/endpoint-harness.ts'
import { assertTidy } from './assert-tidy.ts'
import { effectsOf, ownerOf, pick, pickReference, TEMPORARY_SECONDS } from './effects.ts'
import {
  ARCHIVE_MS,
  BIN_MS,
  faultOf,
  GRACE_MS,
  holds,
  isDue,
  type KnownAsset,
  type KnownReference,
  learned,
  type OrphanPolicy
} from './model.ts'
import type { Life, Operation } from './operations.ts'
import { contents, sha256, Uploader, uploadedAsset } from './uploader.ts'
import { type Answer, type Moment, World } from './world.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** After this an upload that began is given up, and its bytes too. */
const UPLOAD_LIFE_MS = 4 * DAY_MS

const holderOf = (n: number) => ({ namespace: 'app', owner: ownerOf(n) })

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
  readonly #uploader: Uploader
  readonly #known: KnownAsset[] = []
  /** Contents that nobody may read. */
  readonly #quarantined = new Set<number>()

  constructor(world: World, orphanPolicy: OrphanPolicy) {
    this.#world = world
    this.#orphanPolicy = orphanPolicy
    this.#uploader = new Uploader(world)
  }

  async perform(operation: Operation): Promise<void> {
    const world = this.#world
    switch (operation.do) {
      case 'wait':
        world.clock.advanceMs(operation.hours * HOUR_MS)
        return
      case 'store away':
        world.setOutage(true)
        return operation.isCollecting ? this.perform({ do: 'collect', isDryRun: false }) : undefined
      case 'store back':
        return world.setOutage(false)
      case 'restart':
        await world.restart()
        return this.#lookAtAll()
      case 'read': {
        const asset = pick(this.#known, operation.asset)
        return asset && this.#checkBytes(asset)
      }
      case 'die':
        return this.#dieDuring(operation.during, operation.at)
      default: {
        const effects = effectsOf(operation, this.#known, world.clock.nowMs())
        const answer = await this.#ask(operation)
        if (operation.do === 'quarantine') this.#noteQuarantine(operation)
        if (isUpload(operation)) return this.#discover(operation, answer)
        if (operation.do === 'collect') return this.#lookAtAll()
        const assets = [...effects.keys()]
        await this.#look(assets, [effects])
        if (operation.do === 'quarantine') for (const asset of assets) await this.#checkBytes(asset)
      }
    }
  }

  /** Time passes until everything that nobody holds must be gone, and everything is looked at. */
  async settle(): Promise<void> {
    const world = this.#world
    world.setOutage(false)
    await world.restart()
    await this.#lookAtAll()
    for (const asset of this.#known) await this.#checkBytes(asset)
    for (const content of this.#quarantined) await this.perform({ do: 'quarantine', content, isOn: false })
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
    const late = left.find(({ references }) => references.some(({ kind }) => kind === 'temporary'))
    if (late) throw new Error(`${late.id} keeps a reference whose time is over`)
    await this.#checkAudit()
    await world.inspect((catalogue, store) => assertTidy(catalogue, store, new Set(left.map(({ id }) => id))))
  }

  async #collect(): Promise<void> {
    await this.#must(this.#world.request('POST', '/api/v1/gc', {}))
    await this.#world.idle()
    await this.#lookAtAll()
    for (const asset of this.#known) await this.#checkBytes(asset)
  }

  /** What was answered before is so; what was not answered has happened, or has not. */
  async #dieDuring(operation: Operation | null, at: Moment): Promise<void> {
    const effects = operation ? effectsOf(operation, this.#known, this.#world.clock.nowMs()) : new Map()
    const answer = await this.#world.crashDuring(async () => (operation ? this.#ask(operation) : null), at)
    if (operation?.do === 'quarantine') {
      if (answer === null) await this.#learnQuarantine(operation.content)
      else this.#noteQuarantine(operation)
    }
    // Of several assets, each goes by itself.
    const isWhole = operation?.do !== 'empty the bin'
    await this.#look(this.#known, this.#waysOf(effects, answer), isWhole)
    await this.#discover(operation, answer)
  }

  /** What a call that was answered so may have done: one that nobody heard all or nothing, as one whose assets were taken away just before. */
  #waysOf(effects: Map<KnownAsset, KnownAsset>, answer: Answer): Map<KnownAsset, KnownAsset>[] {
    const nowMs = this.#world.clock.nowMs()
    const wasLate = () => [...effects.keys()].some((asset) => isDue(asset, nowMs, this.#orphanPolicy))
    return answer === null || (answer.status >= 400 && wasLate()) ? [effects, new Map()] : [effects]
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
        return this.#uploader.upload(operation)
      case 'go on':
        return this.#uploader.goOn(operation.upload)
      case 'read':
        return world.request('GET', `/media/${this.#idOf(operation.asset)}`)
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
        const reference = pickReference(pick(this.#known, operation.asset), operation.reference)
        return world.request('DELETE', `/api/v1/references/${reference?.id ?? NOBODY}`)
      }
      case 'let go of all':
        return world.request('POST', '/api/v1/references/delete', holderOf(operation.holder))
      case 'delete': {
        const holder = operation.holder === null ? {} : holderOf(operation.holder)
        const query = new URLSearchParams({ guard: String(operation.guard), ...holder })
        return world.request('DELETE', `/api/v1/assets/${this.#idOf(operation.asset)}?${query}`)
      }
      case 'restore':
        return world.request('POST', `/api/v1/assets/${this.#idOf(operation.asset, true)}/restore`)
      case 'purge':
        return world.request('DELETE', `/api/v1/assets/${this.#idOf(operation.asset, true)}?permanent=true`)
      case 'empty the bin':
        return world.request('POST', '/api/v1/bin/empty', { before: new Date(world.clock.nowMs()).toISOString() })
      case 'collect':
        return world.request('POST', '/api/v1/gc', { dryRun: operation.isDryRun })
      case 'quarantine': {
        const digest = sha256(contents[operation.content]!)
        return operation.isOn
          ? world.request('POST', '/api/v1/quarantine', { sha256: digest, reason: 'asked for' })
          : world.request('DELETE', `/api/v1/quarantine/${digest}`)
      }
      default:
        throw new Error(`${operation.do} is no call`)
    }
  }

  #noteQuarantine({ content, isOn }: Operation & { do: 'quarantine' }): void {
    if (isOn) this.#quarantined.add(content)
    else this.#quarantined.delete(content)
  }

  async #learnQuarantine(content: number): Promise<void> {
    const { items } = await this.#must<{ items: QuarantineEntry[] }>(this.#world.request('GET', '/api/v1/quarantine'))
    const isOn = items.some((entry) => entry.sha256 === sha256(contents[content]!))
    this.#noteQuarantine({ do: 'quarantine', content, isOn })
  }

  /** An asset comes by an upload that was answered with it, and by one whose answer was not heard. */
  async #discover(operation: Operation | null, answer: Answer): Promise<void> {
    const nowMs = this.#world.clock.nowMs()
    const come: KnownAsset[] = []
    for (const bin of ['false', 'true']) {
      const { items } = await this.#must<{ items: AssetSummary[] }>(
        this.#world.request('GET', `/api/v1/assets?limit=200&bin=${bin}`)
      )
      for (const { id, name } of items)
        if (!this.#known.some((asset) => asset.id === id)) come.push(arrived(id, name, nowMs))
    }
    this.#known.push(...come)
    const assetId = uploadedAsset(answer)
    if (assetId !== null && !this.#known.some(({ id }) => id === assetId)) throw new Error(`${assetId} did not come`)
    const isExpected = assetId !== null || (answer === null && operation !== null && isUpload(operation))
    if (come.length > (isExpected ? 1 : 0)) throw new Error(`assets came unasked for: ${JSON.stringify(come)}`)
    const refused = come.find(({ content }) => this.#quarantined.has(content))
    if (refused) throw new Error(`${refused.id} came although nobody may have its bytes`)
    await this.#look(come)
  }

  /** Restarts, collecting and outages change nothing but for what time does. */
  #lookAtAll(): Promise<void> {
    return this.#look(this.#known)
  }

  /**
   * Each asset is what it was known as, but for what time does and for the effects, which all have happened in one of the ways that may
   * be (`isWhole`), or each by itself. Then it is known anew.
   */
  async #look(
    assets: readonly KnownAsset[],
    ways: Map<KnownAsset, KnownAsset>[] = [new Map()],
    isWhole = true
  ): Promise<void> {
    const nowMs = this.#world.clock.nowMs()
    const truths = await Promise.all(assets.map(({ id }) => this.#truthOf(id)))
    const faults = ways.map((effects) =>
      assets.map((asset, n) => faultOf(effects.get(asset) ?? asset, truths[n]!, nowMs, this.#orphanPolicy))
    )
    const isFine = isWhole
      ? faults.some((each) => each.every((fault) => fault === null))
      : assets.every((_, n) => faults.some((each) => each[n] === null))
    if (!isFine)
      throw new Error(
        `${JSON.stringify(faults)}: ${JSON.stringify({ assets, ways: ways.map((way) => [...way.values()]), truths })}`
      )
    for (const [n, asset] of assets.entries()) {
      const truth = truths[n]!
      if (truth && truth.isQuarantined !== this.#quarantined.has(asset.content))
        throw new Error(`${asset.id} is ${truth.isQuarantined ? '' : 'not '}quarantined`)
      Object.assign(asset, learned(asset, truth, nowMs))
    }
  }

  async #truthOf(assetId: string): Promise<AssetDetail | null> {
    const answer = await this.#world.request('GET', `/api/v1/assets/${assetId}`)
    return answer?.status === 404 ? null : await this.#must(Promise.resolve(answer))
  }

  async #checkBytes({ id, content, isGone }: KnownAsset): Promise<void> {
    const answer = await this.#world.request('GET', `/media/${id}`)
    if (answer?.status === 503 && this.#world.isStoreAway) return
    const expected = isGone ? 404 : this.#quarantined.has(content) ? 451 : 200
    if (answer?.status !== expected) throw new Error(`${id} answered ${answer?.status} and not ${expected}`)
    if (expected === 200 && !contents[content]!.equals(answer.body as Buffer)) throw new Error(`${id} has other bytes`)
  }

  async #checkAudit(): Promise<void> {
    const verdict = await this.#must<{ isIntact: boolean }>(this.#world.request('GET', '/api/v1/audit/verify'))
    if (!verdict.isIntact) throw new Error(`the audit chain is broken: ${JSON.stringify(verdict)}`)
  }

  async #must<T>(asked: Promise<Answer>): Promise<T> {
    const answer = await asked
    if (answer === null || answer.status !== 200) throw new Error(`unexpected answer ${JSON.stringify(answer)}`)
    return answer.body as T
  }

  #idOf(n: number, isForBinned = false): string {
    return pick(this.#known, n, isForBinned)?.id ?? NOBODY
  }
}

/** The id of no asset and no reference. */
const NOBODY = '00000000000000000000000000'

const isUpload = (operation: Operation) => operation.do === 'upload' || operation.do === 'go on'

/** An asset as its upload wanted it to be. */
function arrived(id: string, name: string, nowMs: number): KnownAsset {
  const [, content, holder] = /content-(\d)-(\d|none)/.exec(name)!
  const references: KnownReference[] =
    holder === 'none' ? [] : [{ id: null, kind: 'strong', owner: ownerOf(Number(holder)), expiresAtMs: null }]
  return { id, content: Number(content), references, binnedAtMs: null, isGone: false, heldUntilMs: nowMs }
}
