import type { Request, Response } from 'express'
import type { ProblemCode } from '../../../shared/problem.ts'
import type { Clock } from '../../clock.ts'
import { AppError } from '../../errors.ts'
import type { Caller } from '../../http/bind-endpoint.ts'
import { isInScope } from '../../workspace-scope.ts'
import type { DeliveredAsset, DeliveryRepository } from './delivery.repository.ts'
import type { LinkSigner } from './link-signer.ts'
import { mayRead } from './may-read.ts'
import type { QuarantineService } from './quarantine.service.ts'
import { type RefererRule, refererAllowed } from './referer-rule.ts'

export interface DeliveryGateDeps {
  repository: DeliveryRepository
  signer: LinkSigner
  quarantine: QuarantineService
  refererRule: RefererRule
  clock: Clock
  /** Who calls; throws `unauthenticated`. */
  authenticate: (request: Request) => Caller | Promise<Caller>
}

/** A request that may have the bytes. `linkEndsAtMs` is set for one by a signed link. */
export type Admission =
  | { asset: DeliveredAsset; by: 'token' }
  | { asset: DeliveredAsset; by: 'public' }
  | { asset: DeliveredAsset; by: 'link'; linkEndsAtMs: number }

type Context = { request: Request; response: Response }

const DEFAULT_CACHE_SECONDS = 3600
const YEAR_SECONDS = 31_536_000

/** The one door to originals and renditions. */
export class DeliveryGate {
  readonly #deps: DeliveryGateDeps

  constructor(deps: DeliveryGateDeps) {
    this.#deps = deps
  }

  /**
   * Lets a request for an asset's bytes (or a picture of them) through, because they are public, by the signature of its address, or for
   * the caller's token. Throws `unauthenticated`, `forbidden`, `link_invalid`, `link_expired`, `referer_refused`, `asset_not_found`
   * (without a token, also for what is in the bin), `blob_quarantined`, `ObjectStoreError`.
   */
  async admit(assetId: string, { request, response }: Context): Promise<Admission> {
    const asset = this.#deps.repository.find(assetId)
    const open = this.#withoutToken(asset, request)
    const admission: Admission =
      typeof open === 'string'
        ? { asset: assertReadable(assetId, asset, await this.#callerOr(open, request)), by: 'token' }
        : open
    await this.#deps.quarantine.assertReadable(admission.asset)
    if (admission.by !== 'token') {
      response.setHeader('cross-origin-resource-policy', 'cross-origin')
      if (this.#deps.refererRule.hosts.length > 0) response.vary('referer')
    }
    return admission
  }

  /** An asset that this caller may hand out links to. Throws `asset_not_found`, `forbidden`, `blob_quarantined`, `ObjectStoreError`. */
  async open(assetId: string, caller: Caller): Promise<DeliveredAsset> {
    const { repository, quarantine } = this.#deps
    const asset = assertReadable(assetId, repository.find(assetId), caller)
    await quarantine.assertReadable(asset)
    return asset
  }

  /**
   * Whether and how the bytes may be kept; `immutable` where the address names a version of them. What is not for everybody who signs in
   * is asked for anew each time: the next one at the same browser may be somebody else.
   */
  cacheControl(admission: Admission, { immutable, ownSeconds }: { immutable: boolean; ownSeconds: number }): string {
    const { access, cacheSeconds } = admission.asset
    if (admission.by === 'token') {
      if (access === 'private' || access === 'signed') return ownCache(0)
      return immutable ? `private, max-age=${YEAR_SECONDS}, immutable` : ownCache(ownSeconds)
    }
    const isForever = immutable && cacheSeconds === null
    const seconds = isForever ? YEAR_SECONDS : (cacheSeconds ?? DEFAULT_CACHE_SECONDS)
    if (admission.by === 'public') return `public, max-age=${seconds}${isForever ? ', immutable' : ''}`
    const leftSeconds = Math.max(0, Math.floor((admission.linkEndsAtMs - this.#deps.clock.nowMs()) / 1000))
    return `private, max-age=${Math.min(seconds, leftSeconds)}`
  }

  /** How the request may have the bytes as it is, or why it may not without a token. */
  #withoutToken(
    asset: DeliveredAsset | undefined,
    request: Request
  ): Exclude<Admission, { by: 'token' }> | ProblemCode {
    const { signer, refererRule } = this.#deps
    const link = asset?.access === 'public' ? undefined : signer.verify(request.originalUrl, asset?.access)
    if (typeof link === 'string') return link
    if (!asset || (asset.access !== 'public' && link === undefined)) return 'unauthenticated'
    if (asset.binnedAtMs !== null) return 'asset_not_found'
    if (!refererAllowed(refererRule, request.headers.referer)) return 'referer_refused'
    return link === undefined ? { asset, by: 'public' } : { asset, by: 'link', linkEndsAtMs: link.expiresAtMs }
  }

  async #callerOr(refusal: ProblemCode, request: Request): Promise<Caller> {
    try {
      return await this.#deps.authenticate(request)
    } catch (error) {
      throw error instanceof AppError && error.code === 'unauthenticated' ? new AppError(refusal) : error
    }
  }
}

/** Throws `asset_not_found`, `forbidden`. */
export function assertReadable(assetId: string, asset: DeliveredAsset | undefined, caller: Caller): DeliveredAsset {
  if (!asset || !isInScope(caller.workspaceIds, asset.workspaceId)) throw new AppError('asset_not_found', { assetId })
  if (!mayRead(asset, caller)) throw new AppError('forbidden', { access: asset.access })
  return asset
}

const ownCache = (seconds: number) => (seconds === 0 ? 'private, no-cache' : `private, max-age=${seconds}`)
